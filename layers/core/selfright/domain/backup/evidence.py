"""The evidence of a restore test: a JSON document that names the one before it by its hash.

    hash = SHA-256 of the document as JSON (sorted names, no spaces, UTF-8) without its own `hash`

Whoever changes one document must change every later one, and the newest hash is known in two places. It is no
signature: whoever can write to the bucket and to the ledger can make a chain of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from selfright.domain.backup.comparison import Comparison
from selfright.domain.backup.history import History
from selfright.domain.backup.restore_test import RestoreTest
from selfright.domain.backup.verdict import FROZEN, BackupCheck, Verdict, all_eight, verdict_of

FORMAT = "selfright-restore-test/1"
FIRST = "0" * 64  # what the first document names as the one before it


class Evidence(BaseModel):
    """What people and auditors read of a test."""

    model_config = FROZEN

    format: str = FORMAT
    test: str
    execution: str
    workload: str
    environment: str
    table: str
    copy_name: str
    planted: str | None
    began_at: datetime
    ended_at: datetime
    recovery_point: datetime | None
    verdict: Verdict
    checks: tuple[BackupCheck, ...]
    comparison: Comparison | None
    rpo_seconds: float | None
    rto_seconds: float | None
    history: History | None
    failure: str | None
    previous: str
    hash: str = ""

    @property
    def sealed(self) -> Evidence:
        return self.model_copy(update={"hash": digest(self)})

    def text(self) -> str:
        """The document as it is stored."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def evidence_of(
    test: RestoreTest,
    checks: Sequence[BackupCheck],
    comparison: Comparison | None,
    *,
    previous: str,
    now: datetime,
    history: History | None = None,
) -> Evidence:
    """The sealed document of a test that is over, one way or another. `history`: of its table, with this test."""
    all_checks = all_eight(checks)
    verdict = concluded(test, checks)
    return Evidence(
        test=test.id,
        execution=test.execution,
        workload=test.workload,
        environment=test.environment,
        table=test.table,
        copy_name=test.copy_name,
        planted=f"{test.plant}: {test.planted or 'not put in'}" if test.plant else None,
        began_at=test.began_at,
        ended_at=now,
        recovery_point=test.point,
        verdict=verdict,
        checks=all_checks,
        comparison=comparison,
        rpo_seconds=test.rpo_seconds,
        rto_seconds=test.rto_seconds,
        history=history,
        failure=test.failure,
        previous=previous,
    ).sealed


def concluded(test: RestoreTest, checks: Sequence[BackupCheck]) -> Verdict:
    """The verdict on a test: after a failed station it is no PASS, whatever was found before."""
    verdict = verdict_of(all_eight(checks))
    return Verdict.INCONCLUSIVE if test.failure and verdict is Verdict.PASS else verdict


def digest(document: Evidence) -> str:
    """The hash that a document should carry."""
    return _digest(document.model_dump(mode="json"))


def first_break(documents: Sequence[Any]) -> int | None:
    """Where a chain of stored documents (parsed JSON, oldest first) is broken; None where it holds."""
    previous = FIRST
    for place, document in enumerate(documents):
        if document.get("previous") != previous or document.get("hash") != _digest(document):
            return place
        previous = document["hash"]
    return None


def _digest(document: dict[str, Any]) -> str:
    kept = {name: value for name, value in document.items() if name != "hash"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
