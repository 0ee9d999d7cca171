"""How fast the new versions are: beside the live ones at every gate, and against the manifest's targets in the end."""

from __future__ import annotations

from datetime import datetime

from selfright.domain.canary import LatencyRuling, judge_latency
from selfright.domain.manifest import Deployment, Workload
from selfright.domain.release import Release
from selfright.domain.release.evidence import (
    Stretch,
    counted_until,
    gate_number,
    gate_plan,
    latencies,
    stretches_with_control,
)
from selfright.ports import Functions

MILLISECONDS = 1000


def latency_rulings(
    release: Release, deployment: Deployment, functions: Functions, now: datetime
) -> dict[str, LatencyRuling]:
    """Whether functions are slower than the live version by more than matters, in milliseconds.

    It takes twenty minutes of both versions to tell; before, slowness is the alarms' business, and no ground to wait.
    """
    where = stretches_with_control(release, counted_until(release, deployment, now))
    told: dict[str, LatencyRuling] = {}
    if not any(one.minutes for one in where):
        return told
    for index, function in enumerate(release.changing):
        old, new = function.before.version, str(function.candidate)
        found = functions.durations(
            function.function, function.alias, [old, new], where[0].start, where[-1].end
        )
        told[function.key] = judge_latency(
            latencies(found[old], where),
            latencies(found[new], where),
            gate_plan(release, deployment),
            gate=gate_number(release, deployment, index),
        )
    return told


def missed_targets(
    release: Release, workload: Workload, functions: Functions, where: Stretch
) -> tuple[str, ...]:
    """The functions of which 5 % of the requests in `where` took longer than targets.p95_seconds allows.

    A target that the version before missed by as much is not the release's fault. A function without requests, or
    without a target, has none to miss: whether there were enough is what the gate asks.
    """
    missed: list[str] = []
    targets, stages = workload.targets.p95_seconds, workload.deployment.target_of
    for function in release.changing:
        target = targets.get(stages.get(function.key, function.key))
        if target is None or not where.minutes:
            continue
        old, new = function.before.version, str(function.candidate)
        place = (function.function, function.alias)
        now = functions.p95(*place, [new], where.start, where.end).get(new)
        if now is None or now <= target * MILLISECONDS:
            continue
        earlier = [one for one in stretches_with_control(release, where.start) if one.minutes]
        before = functions.p95(*place, [old], earlier[0].start, earlier[-1].end).get(old) if earlier else None
        if before is None or now > before:
            than = "" if before is None else f", before {before / MILLISECONDS:.3g} s"
            missed.append(f"{function.key}: p95 {now / MILLISECONDS:.3g} s, target {target:g} s{than}")
    return tuple(missed)
