"""Whether a function's failures began with its newest release.

The version before is not the next lower number, which may be a release that was rolled back already: it is the one
that served before, by Lambda's metrics per executed version, and served well. AWS has no moment at which an alias
was moved; a version that is published is put live within minutes, so its own date stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from selfright.checks.registry import check
from selfright.domain.catalogue import CheckDeclaration, CheckResult
from selfright.domain.errors import SourceDownError
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.serving import Tally, percent_failed
from selfright.ports import Instruments

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
            "released-recently": "the live version was published within the last hour (parameter: minutes)",
            "deployment-under-way": "the alias sends shares of the requests to more than one version",
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
    live = releases.get(alias.version)
    findings = {
        "released-recently": live is not None and now - live.published_at <= span,
        "deployment-under-way": bool(alias.weights),
        "function-busy": state.busy,
        "change-not-live": live is not None and state.changed_at > live.published_at,
        "previous-version-proven": False,
        "failing-since-release": False,
    }
    facts = {"live_version": alias.version, "weights": dict(alias.weights)}
    if live is None or not findings["released-recently"]:
        return CheckResult(findings=findings, facts={"release": facts})

    start = live.published_at - span
    older = [v for v in releases if int(v) < int(live.version)][:CANDIDATES]
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
                "published_at": live.published_at.isoformat(),
                "previous_version": previous,
                "percent_failed": {v: round(p, 1) for v, p in percent.items()},
                "requests": {v: tallies[v].invoked for v in percent},
            }
        },
    )


def _last_to_serve(older: Sequence[str], tallies: Mapping[str, Tally]) -> str | None:
    """The older version whose last request came latest; None where none served in the window."""
    served = {v: max(tallies[v].invocations) for v in older if tallies[v].invoked}
    return max(served, key=lambda v: (served[v], int(v))) if served else None


CHECKS = (release,)
