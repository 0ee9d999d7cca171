"""Who causes a function's failures: itself, by crashing, or something that it calls.

Crashes are Lambda's metric; failures that the function answered itself are its log lines that name a dependency
(docs/manifest.md). Both are counted against the same minutes' invocations.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from selfright.checks.registry import check
from selfright.domain.catalogue import CheckDeclaration, CheckResult
from selfright.domain.judgement import METRIC_LAG
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.serving import Failure, Tally, blamed, failed_by_minute, percent_failed
from selfright.ports import Instruments

FUNCTION = frozenset({ResourceType.LAMBDA_FUNCTION})
MAIN_CAUSE = 0.5  # share of all failures from which one cause is the cause
FEW = 10  # requests a minute; below it a rate says nothing (as in the alarms)
SPARE = 5  # minutes more to read: the newest are not final yet, and quiet ones say nothing
OUTAGE_MINUTES, OUTAGE_PERCENT = 3, 99.0
# Two of a kind may be a prober or a bad deployment of one caller; five within minutes are a finding.
SUSPICIOUS = 5
DATA_WORDS = ("corrupt", "integrity", "checksum")
ACCESS_WORDS = ("accessdenied", "unauthorized", "forbidden", "invalidsignature", "unrecognizedclient")


class ErrorWindow(BaseModel):
    """`minutes` to look for causes; `severe_minutes` in a row above `severe_percent` are beyond a first remedy."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    minutes: int = Field(default=10, ge=3, le=60)
    severe_minutes: int = Field(default=15, ge=3, le=60)
    severe_percent: float = Field(default=10.0, gt=0, le=100)


@check(
    CheckDeclaration(
        name="lambda.errors",
        summary="Failures by cause: crashes and dependencies, how many, for how long",
        resource_types=FUNCTION,
        parameters=ErrorWindow,
        permissions=frozenset({"cloudwatch:GetMetricData", "logs:FilterLogEvents"}),
        findings={
            "crashing": "at least half of the failures are crashes of the function's own code",
            "dependency-failing": "at least half of the failures are blamed on one dependency",
            "circuit-available": "the manifest names a flag that keeps the function away from that dependency",
            "severe-for-long": "each of the last minutes was severe (parameters: 15 minutes above 10 %)",
            "total-outage": "nearly every request of the last three minutes failed",
            "data-suspect": "errors speak of corrupt data",
            "access-suspect": "errors speak of denied or forged access",
        },
    )
)
def errors(instruments: Instruments, resource: LambdaFunction, window: ErrorWindow) -> CheckResult:
    now = instruments.clock.now()
    # Whole minutes, so that lines and metrics speak of the same requests.
    minute, final_until = now.replace(second=0, microsecond=0), (now - METRIC_LAG).timestamp()
    recent = minute - timedelta(minutes=window.minutes)
    start = min(recent, minute - timedelta(minutes=window.severe_minutes + SPARE))
    tally = instruments.functions.tally(resource.name, start, now)
    log = instruments.logs.failures(resource.name, start, now)

    lines = [f for f in log.failures if f.at >= recent]
    crashes = sum(n for minute, n in tally.crashes.items() if minute >= recent.timestamp())
    by_dependency = blamed(lines)
    failures = crashes + sum(by_dependency.values())
    worst = next(iter(by_dependency), None)
    blames = bool(worst and by_dependency[worst] >= MAIN_CAUSE * failures)
    percents = _percents(tally, log.failures, final_until)
    return CheckResult(
        findings={
            "crashing": crashes > 0 and crashes >= MAIN_CAUSE * failures,
            "dependency-failing": blames,
            "circuit-available": blames and worst in resource.circuits,
            "severe-for-long": _all_above(percents, window.severe_minutes, window.severe_percent),
            "total-outage": _all_above(percents, OUTAGE_MINUTES, OUTAGE_PERCENT),
            "data-suspect": _speak_of(lines, DATA_WORDS) >= SUSPICIOUS,
            "access-suspect": _speak_of(lines, ACCESS_WORDS) >= SUSPICIOUS,
        },
        facts={
            "failures": {"crashes": crashes, "by_dependency": by_dependency, "all_read": log.complete},
            "percent_failed": round(percent_failed(tally, log.failures), 1),
            "failing_dependency": worst if blames else None,
            "examples": sorted({f"{f.error}: {f.message}" for f in lines})[:3],
        },
    )


def _percents(tally: Tally, failures: tuple[Failure, ...], final_until: float) -> list[float]:
    """Percent failed of every minute with enough requests whose metrics have arrived, oldest first."""
    failed = failed_by_minute(tally, failures)
    over = [(minute, n) for minute, n in tally.invocations.items() if minute + 60 <= final_until]
    busy = sorted((minute, n) for minute, n in over if n >= FEW)
    return [100 * failed.get(minute, 0.0) / n for minute, n in busy]


def _all_above(percents: list[float], minutes: int, limit: float) -> bool:
    return len(percents) >= minutes and all(percent > limit for percent in percents[-minutes:])


def _speak_of(failures: list[Failure], words: tuple[str, ...]) -> int:
    texts = (f"{f.error} {f.message}".lower() for f in failures)
    return sum(any(word in text for word in words) for text in texts)


CHECKS = (errors,)
