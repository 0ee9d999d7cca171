"""What AWS Backup's own restore testing restored, and what is answered about it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel

from selfright.domain.backup.invariants import Watched, broken_rules
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.manifest import Invariant

# AWS Backup names what it restores for a test so, and deletes it when the validation is over or its window ends.
RESTORED = "awsbackup-restore-test-"


class Validation(StrEnum):
    """AWS Backup's words, of PutRestoreValidationResult."""

    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"


class RestoreJob(BaseModel):
    """A restore job as AWS Backup describes it. `of_a_test`: a restore testing plan began it."""

    model_config = FROZEN

    id: str
    status: str
    source: str | None  # table names; None where it is no table
    created: str | None
    of_a_test: bool
    answered: bool


class Validated(BaseModel):
    """What was answered and why; `status` is None where nothing was."""

    model_config = FROZEN

    job: str
    status: Validation | None = None
    message: str


def validated(
    job: RestoreJob, keys: tuple[Sequence[str], Sequence[str]], rules: Sequence[Invariant], seen: Watched
) -> Validated:
    """What follows from the keys of source and restored table, and from some of its items.

    Without a rule nobody knows whether the items make sense: then nothing is answered, and AWS Backup tells that the
    validation timed out.
    """
    source, created = keys
    if source != created:
        told = f"the primary key is {', '.join(created)}, not {', '.join(source)}"
        return Validated(job=job.id, status=Validation.FAILED, message=told)
    broken = [f"{rule.name}: {why}" for rule, why in broken_rules(rules, seen)]
    if broken:
        return Validated(job=job.id, status=Validation.FAILED, message="; ".join(broken))
    if not rules:
        return Validated(job=job.id, message="the manifest has no invariant for this table")
    told = f"{seen.items} items looked at, all {len(rules)} invariants hold of them"
    return Validated(job=job.id, status=Validation.SUCCESSFUL, message=told)
