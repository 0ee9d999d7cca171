"""The eight checks of a restore test, and the one verdict that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")
Item = Mapping[str, Mapping[str, Any]]  # DynamoDB JSON: {"score": {"N": "0.7"}}


class Verdict(StrEnum):
    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"  # not known; never taken for a pass


class CheckName(StrEnum):
    """In the order in which they are shown."""

    EXISTENCE = "existence"  # there is a recovery point
    RESTORABLE = "restorable"  # it became a table
    COMPLETE = "complete"  # with every item of the source, and none besides
    INTEGRITY = "integrity"  # each of them unchanged
    SETTINGS = "settings-parity"  # set up like the source, once what a restore drops was put back
    INVARIANTS = "application-invariants"  # and it makes sense to the application
    RPO = "rpo-achieved"  # no more was lost than is allowed
    RTO = "rto-achieved"  # in no more time than is allowed


class BackupCheck(BaseModel):
    """One check's verdict. `reason` is one sentence for people; `names` are the keys or settings it is about."""

    model_config = FROZEN

    name: CheckName
    verdict: Verdict
    reason: str
    names: tuple[str, ...] = ()


def all_eight(done: Iterable[BackupCheck]) -> tuple[BackupCheck, ...]:
    """`done` in order, with INCONCLUSIVE for each check that was never made.

    Raises ValueError where a check was made twice.
    """
    by_name: dict[CheckName, BackupCheck] = {}
    for check in done:
        if check.name in by_name:
            raise ValueError(f"{check.name} was checked twice")
        by_name[check.name] = check
    return tuple(
        by_name.get(name)
        or BackupCheck(name=name, verdict=Verdict.INCONCLUSIVE, reason="the test did not get this far")
        for name in CheckName
    )


def verdict_of(checks: Sequence[BackupCheck]) -> Verdict:
    """FAIL where any check failed; PASS where all eight passed; else INCONCLUSIVE."""
    verdicts = {check.name: check.verdict for check in checks}
    if Verdict.FAIL in verdicts.values():
        return Verdict.FAIL
    if verdicts == dict.fromkeys(CheckName, Verdict.PASS):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE
