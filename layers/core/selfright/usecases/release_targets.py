"""Whether the new versions are as fast as the manifest promises, at the end of the bake."""

from __future__ import annotations

from selfright.domain.manifest import Workload
from selfright.domain.release import Release
from selfright.domain.release.evidence import Stretch, stretches_with_control
from selfright.ports import Functions

MILLISECONDS = 1000


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
