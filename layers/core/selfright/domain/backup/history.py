"""What restores took and would have lost over time: one good night says little about the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from selfright.domain.backup.verdict import FROZEN, Verdict

NIGHTS = 90  # tests that the history of a table tells of: as long as Step Functions remembers its executions


class Measured(BaseModel):
    """One restore test of a table, no drill. None: it did not get so far."""

    model_config = FROZEN

    test: str
    ended_at: datetime
    verdict: Verdict
    rpo_seconds: float | None
    rto_seconds: float | None


class Spread(BaseModel):
    """Of one measure, in seconds. `measured`: how many tests it was measured in; `within`: in how many it was kept."""

    model_config = FROZEN

    measured: int
    within: int
    p50: float | None
    p95: float | None
    allowed: float

    def __str__(self) -> str:
        if self.p50 is None or self.p95 is None:
            return f"never measured, {self.allowed:.0f} s are allowed"
        told = f"p50 {self.p50:.0f} s, p95 {self.p95:.0f} s, {self.allowed:.0f} s are allowed"
        return f"{told}; kept in {self.within} of {self.measured} tests"


class History(BaseModel):
    """The last tests of a table, this one among them."""

    model_config = FROZEN

    tests: int
    passed: int
    rpo: Spread
    rto: Spread


def history_of(tests: Sequence[Measured], *, rpo_allowed: float, rto_allowed: float) -> History:
    """What the tests, in any order, come to."""
    return History(
        tests=len(tests),
        passed=sum(test.verdict is Verdict.PASS for test in tests),
        rpo=spread([test.rpo_seconds for test in tests], rpo_allowed),
        rto=spread([test.rto_seconds for test in tests], rto_allowed),
    )


def spread(values: Sequence[float | None], allowed: float) -> Spread:
    """Percentiles by nearest rank: each is a value that was measured. Of fewer than 20, p95 is the worst."""
    known = sorted(value for value in values if value is not None)
    return Spread(
        measured=len(known),
        within=sum(0 <= value <= allowed for value in known),
        p50=known[math.ceil(0.50 * len(known)) - 1] if known else None,
        p95=known[math.ceil(0.95 * len(known)) - 1] if known else None,
        allowed=allowed,
    )
