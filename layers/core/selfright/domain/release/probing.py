"""What came of a smoke test or a question about health, and whether that is an answer to be content with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from selfright.domain.manifest import Http, Invoke, SmokeWorkflow
from selfright.domain.report import cut

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

SHOWN = 300  # characters of an answer that is not as it should be: what it holds is nobody else's business


class Phase(StrEnum):
    """At which point of a release the room is asked."""

    BEFORE = "before"  # nobody is sent to the new versions
    DURING = "during"  # some are, and too few came
    AFTER = "after"  # everybody is, just now
    END = "end"  # the bake is over
    RESTORED = "restored"  # everybody is sent to the earlier versions again


class Heard(BaseModel):
    """An answer. `trouble`: why there is none, or that the function says itself that it failed."""

    model_config = FROZEN

    seconds: float
    trouble: str | None = None
    status: int | None = None  # of HTTP
    body: Any = None  # a function's answer, or the text of a page


class Ran(BaseModel):
    """An execution: Step Functions' word for it, and how long it took, or takes so far."""

    model_config = FROZEN

    status: str
    seconds: float


class Answered(BaseModel):
    """One question with what came of it. `why`: it is not passed."""

    model_config = FROZEN

    name: str
    seconds: float
    why: str | None = None

    @property
    def passed(self) -> bool:
        return self.why is None


class HealthRecord(BaseModel):
    """Which questions about health had no good answer: before the release began, and after it was taken back.

    `after` is None as long as nobody asked.
    """

    model_config = FROZEN

    before: tuple[str, ...] = ()
    after: tuple[str, ...] | None = None

    @property
    def worse(self) -> tuple[str, ...]:
        """What was healthy before and is not any more."""
        return tuple(name for name in self.after or () if name not in self.before)


def of_invoke(name: str, probe: Invoke, heard: Heard) -> Answered:
    why = heard.trouble or _late(probe.within_seconds, heard.seconds)
    if not why and probe.expect:
        why = _differs(probe.expect, heard.body)
    return Answered(name=name, seconds=heard.seconds, why=why)


def of_http(name: str, probe: Http, heard: Heard) -> Answered:
    why = heard.trouble or _late(probe.within_seconds, heard.seconds)
    if not why and heard.status != probe.status:
        why = f"answered {heard.status}, not {probe.status}"
    lacking = [text for text in probe.contains if text not in str(heard.body)]
    if not why and lacking:
        why = f"the answer does not hold {', '.join(map(repr, lacking))}"
    return Answered(name=name, seconds=heard.seconds, why=why)


def of_run(name: str, test: SmokeWorkflow, ran: Ran) -> Answered | None:
    """None while it runs and may."""
    late = _late(test.within_seconds, ran.seconds)
    if ran.status == "RUNNING":
        return Answered(name=name, seconds=ran.seconds, why=f"{late}, and runs still") if late else None
    why = late if ran.status == "SUCCEEDED" else f"ended {ran.status}"
    return Answered(name=name, seconds=ran.seconds, why=why)


def in_one_line(results: tuple[Answered, ...]) -> str:
    """What is not passed, else how many are."""
    if not results:
        return "nothing to ask"
    failed = [f"{one.name}: {one.why}" for one in results if one.why]
    return (
        "; ".join(failed) or f"{len(results)} passed, the slowest in {max(r.seconds for r in results):.1f} s"
    )


def _late(allowed: float, took: float) -> str | None:
    return f"took {took:.1f} s, more than {allowed:g}" if took > allowed else None


def _differs(expected: Any, found: Any, where: str = "answer") -> str | None:
    """The first place at which an answer is not as expected; a mapping may hold more than is expected of it."""
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            return f"{where} is {cut(repr(found), SHOWN)}, not an object"
        lacking = next((key for key in expected if key not in found), None)
        if lacking is not None:
            return f"{where} has no {lacking}"
        differences = (_differs(value, found[key], f"{where}.{key}") for key, value in expected.items())
        return next(filter(None, differences), None)
    # 1 is not true: JSON tells them apart, Python does not.
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return None if same else f"{where} is {cut(repr(found), SHOWN)}, not {cut(repr(expected), SHOWN)}"
