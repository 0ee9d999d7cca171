"""Whether a function's failures began with its newest release.

What the ledger of releases knows, it tells: when the live version got its first requests, and what was live before.
Where the version went live another way, the one before is not the next lower number, which may have been taken back
already: it is the one that served before, by Lambda's metrics per executed version. AWS has no moment at which an
alias was moved; a version that is published is put live within minutes, so its own date stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from selfright.checks.registry import check
from selfright.domain.catalogue import CheckDeclaration, CheckResult
from selfright.domain.errors import SourceDownError
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.release.record import UNDER_WAY, Release
from selfright.domain.release.way_back import live_release
from selfright.domain.serving import Tally, percent_failed
from selfright.ports import Instruments

LOOKED_AT = 100  # newest releases in the ledger
CANDIDATES = 5  # older versions that are asked for; each costs three metrics
# So many requests without a failure put the true rate below 5 % with 95 % confidence: ⌈ln 0.05 ÷ ln 0.95⌉.
PROVEN_BY = 59
FEWEST_FAILURES = 5  # of the live version: fewer would be nobody's reason to roll back


class ReleaseWindow(BaseModel):
    """A release is recent for `minutes`, and before it so many minutes are looked at.

    `limit_percent`: failures above it are bad, up to it normal.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    minutes: int = Field(default=60, ge=5, le=180)
    limit_percent: float = Field(default=2.0, gt=0, le=100)


@check(
    CheckDeclaration(
        name="lambda.release",
        summary="What is live since when, what served before, and how both failed",
        resource_types=frozenset({ResourceType.LAMBDA_FUNCTION}),
        parameters=ReleaseWindow,
        permissions=frozenset(
            {
                "cloudwatch:GetMetricData",
                "lambda:GetAlias",
                "lambda:GetFunctionConfiguration",
                "lambda:ListVersionsByFunction",
                "logs:FilterLogEvents",
            }
        ),
        findings={
            "released-recently": "the live version was put live within the last hour (parameter: minutes)",
            "release-known": "a completed release of Selfright made the live version live; it can go back as one set",
            "deployment-under-way": "requests go to more than one version, or a release is on its way",
            "function-busy": "an update of the function is under way",
            "change-not-live": "code or configuration was changed after the live version was published",
            "previous-version-proven": "an older version served enough requests just before, and served them well",
            "failing-since-release": "the live version fails, and the one before did not",
        },
    )
)
def release(instruments: Instruments, resource: LambdaFunction, window: ReleaseWindow) -> CheckResult:
    functions, now, span = instruments.functions, instruments.clock.now(), timedelta(minutes=window.minutes)
    state = functions.state(resource.name)
    alias = functions.alias(resource.name, resource.alias)
    releases = {r.version: r for r in functions.releases(resource.name)}
    live, known = releases.get(alias.version), _known(instruments, resource, alias.version)
    # The ledger's word counts: a version that went live again is as new as that.
    since = known.since or (live.published_at if live else None)
    findings = {
        "released-recently": since is not None and now - since <= span,
        "release-known": known.release is not None,
        "deployment-under-way": bool(alias.weights) or known.under_way,
        "function-busy": state.busy,
        "change-not-live": live is not None and state.changed_at > live.published_at,
        "previous-version-proven": False,
        "failing-since-release": False,
    }
    facts = {"live_version": alias.version, "weights": dict(alias.weights)}
    if known.release:
        facts["release_id"] = known.release.id
    if live is None or since is None or not findings["released-recently"]:
        return CheckResult(findings=findings, facts={"release": facts})

    start = since - span
    older = (
        [known.previous]
        if known.previous
        else [v for v in releases if int(v) < int(live.version)][:CANDIDATES]
    )
    tallies = functions.tallies(resource.name, resource.alias, [live.version, *older], start, now)
    previous = _last_to_serve(older, tallies)
    if previous is None:
        return CheckResult(findings=findings, facts={"release": facts})

    log = instruments.logs.failures(resource.name, start, now)
    if not log.complete:
        raise SourceDownError(f"{resource.name} logged more failures than can be counted by version")
    percent = {
        v: percent_failed(tallies[v], [f for f in log.failures if f.version == v])
        for v in (live.version, previous)
    }
    failures = percent[live.version] / 100 * tallies[live.version].invoked
    proven = tallies[previous].invoked >= PROVEN_BY and percent[previous] <= window.limit_percent
    fails = failures >= FEWEST_FAILURES and percent[live.version] > window.limit_percent
    return CheckResult(
        findings={
            **findings,
            "previous-version-proven": proven,
            "failing-since-release": fails and percent[previous] <= window.limit_percent,
        },
        facts={
            "release": {
                **facts,
                "live_since": since.isoformat(),
                "previous_version": previous,
                "percent_failed": {v: round(p, 1) for v, p in percent.items()},
                "requests": {v: tallies[v].invoked for v in percent},
            }
        },
    )


class _Known(NamedTuple):
    """What the ledger knows of the live version."""

    release: Release | None = None  # that made it live
    under_way: bool = False  # another release of the workload
    previous: str | None = None  # version

    @property
    def since(self) -> datetime | None:
        """When the version got its first requests."""
        return self.release.shifts[0] if self.release else None


def _known(instruments: Instruments, resource: LambdaFunction, version: str) -> _Known:
    """Empty where no workload releases this function through Selfright."""
    for workload in instruments.workloads.values():
        for key in workload.deployment.functions:
            if workload.resource(key).name == resource.name:
                newest = instruments.releases.releases(workload.workload, workload.environment, LOOKED_AT)
                made = live_release(newest, key, version)
                before = {f.key: f.before.version for f in made.functions} if made else {}
                under_way = any(release.status in UNDER_WAY for release in newest)
                return _Known(made, under_way, before.get(key))
    return _Known()


def _last_to_serve(older: Sequence[str], tallies: Mapping[str, Tally]) -> str | None:
    """The older version whose last request came latest; None where none served in the window."""
    served = {v: max(tallies[v].invocations) for v in older if tallies[v].invoked}
    return max(served, key=lambda v: (served[v], int(v))) if served else None


CHECKS = (release,)
