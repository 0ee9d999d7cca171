"""Look at the step that is in force: watch on, go on to the next one, or go back.

Every look asks whether the aliases are as they were left, whether an alarm went off, and whether the new versions
fail so much more often that waiting would only hurt. When the step's time is over and its requests are counted, the
gate decides: only PASS of every function that has to prove the release takes it further.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

from selfright.domain.canary import (
    CountsRuling,
    Minute,
    Verdict,
    WatchRuling,
    judge_counts,
    judge_level,
    watch_counts,
)
from selfright.domain.manifest import Deployment, Workload
from selfright.domain.release import (
    FunctionRelease,
    LogLine,
    Milestone,
    Release,
    ReleaseStatus,
    StopReason,
)
from selfright.domain.release.evidence import (
    Stretch,
    counted_until,
    gate_at,
    gate_number,
    gate_plan,
    level_number,
    level_plan,
    paired,
    stretch,
    stretches_with_control,
    total,
)
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Alarms, Clock, Functions, Leases, ReleaseLedger
from selfright.release_ports import Configurations, StateMachines
from selfright.usecases.admit_release import red_alarms
from selfright.usecases.configured import moved_configuration
from selfright.usecases.release_lock import take_lock
from selfright.usecases.release_speed import latency_rulings, missed_targets
from selfright.usecases.released_aliases import read_alias


def judge_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    functions: Functions,
    configurations: Configurations,
    state_machines: StateMachines,
    alarms: Alarms,
    clock: Clock,
) -> ReleaseWord:
    """`wait` for the next look, `shift` to the next step, `finish` after the last one, or `roll_back`.

    `test` instead of `wait` where requests of our own are to be sent before the next look.

    Raises ConflictError where another release holds the workload.
    """
    release = releases.release(release_id)
    if release.status is not ReleaseStatus.RUNNING:
        return ReleaseWord(next=Then.LEAVE)
    if release.stop:
        return ReleaseWord(next=Then.ROLL_BACK)  # found before this room was repeated
    workload, now = workloads[release.request.workload], clock.now()
    take_lock(release, leases, now)
    if seen := _moved(release, functions, configurations, state_machines) or _seen_at_once(
        release, workload, functions, alarms, now
    ):
        return _stop(release, *seen, releases=releases, now=now)
    due = gate_at(release, workload.deployment)
    if now < due:
        seconds = math.ceil((due - now).total_seconds())
        wait = min(workload.deployment.look_seconds, seconds)
        # Users first: only where theirs were too few, some of our own are added.
        ours = release.extensions and workload.deployment.synthetic
        return ReleaseWord(next=Then.TEST if ours else Then.WAIT, wait=wait)
    return _gate(release, workload, functions, releases, now)


def _moved(
    release: Release, functions: Functions, configurations: Configurations, machines: StateMachines
) -> tuple[StopReason, str, dict[str, object]] | None:
    """What somebody else did to what this release left."""
    for one in release.shifting:
        alias = read_alias(one, functions, machines)
        if (alias.version, dict(alias.weights)) != one.at(release.rung):
            moved = f"somebody else moved {one.key} to version {alias.version}"
            return StopReason.ALIAS_MOVED, moved, {}
    if other := moved_configuration(release, configurations):
        return StopReason.CONFIGURATION_MOVED, f"somebody else moved {other}", {}
    return None


def _seen_at_once(
    release: Release, workload: Workload, functions: Functions, alarms: Alarms, now: datetime
) -> tuple[StopReason, str, dict[str, object]] | None:
    """The first sign of trouble that need not wait for a gate."""
    if red := red_alarms(release, workload, alarms):
        return StopReason.ALARM_WENT_OFF, ", ".join(red), {"alarms": red}
    deployment = workload.deployment
    until = counted_until(release, deployment, now)
    for index, function in enumerate(release.proving):
        ruling: WatchRuling | CountsRuling | None
        if release.without_control:
            minutes = _minutes(function, (stretch(release, until),), functions)
            number = level_number(release, deployment, index, now)
            seen = total(minutes)[1] if minutes else None
            ruling = judge_level(seen, level_plan(release, deployment), gate=number)
        else:
            minutes = _minutes(function, stretches_with_control(release, until), functions)
            # Where nothing is counted yet, or the counts are absurd, the gate tells.
            ruling = watch_counts(minutes, gate_plan(release, deployment)) if minutes else None
        if ruling and ruling.verdict is Verdict.FAIL:
            detail: dict[str, object] = {"rulings": {function.key: ruling.model_dump(mode="json")}}
            return StopReason.WORSE_THAN_BEFORE, f"{function.key}: {ruling.reason}", detail
    return None


def _gate(
    release: Release, workload: Workload, functions: Functions, releases: ReleaseLedger, now: datetime
) -> ReleaseWord:
    deployment = workload.deployment
    where = stretch(release, counted_until(release, deployment, now))
    whole = release.without_control
    rulings: dict[str, CountsRuling] = {}
    for index, function in enumerate(release.proving):
        minutes = _minutes(function, (where,), functions)
        control, canary = total(minutes) if minutes is not None else (None, None)
        if whole:
            number = level_number(release, deployment, index, now)
            rulings[function.key] = judge_level(canary, level_plan(release, deployment), gate=number)
        else:
            number = gate_number(release, deployment, index)
            rulings[function.key] = judge_counts(control, canary, gate_plan(release, deployment), gate=number)
    latency = {} if whole else latency_rulings(release, deployment, functions, now)
    slower = [f"{key}: {r.reason} ms" for key, r in latency.items() if r.verdict is Verdict.FAIL]
    verdict = Verdict.FAIL if slower else _verdict(deployment, rulings)
    line = LogLine(
        key=f"judged-{release.position:02d}-{release.extensions}",
        at=now,
        milestone=Milestone.JUDGED,
        text=f"step {release.position} of {len(release.rungs)}: {verdict}. "
        + "; ".join([*(f"{key} {r.verdict}, {r.reason}" for key, r in rulings.items()), *slower]),
        detail={
            "verdict": verdict,
            "control": "service level" if whole else "live version",
            "from": where.start.isoformat(),
            "to": where.end.isoformat(),
            "rulings": {key: ruling.model_dump(mode="json") for key, ruling in rulings.items()},
            "latency": {key: ruling.model_dump(mode="json") for key, ruling in latency.items()},
        },
    )
    match verdict:
        case Verdict.PASS:
            releases.note(release.id, line)
            if release.next_rung is None:
                if missed := missed_targets(release, workload, functions, where):
                    why = "; ".join(missed)
                    return _stop(release, StopReason.TARGET_MISSED, why, {}, releases=releases, now=now)
                return ReleaseWord(next=Then.FINISH)
            return ReleaseWord(next=Then.SHIFT, step=release.position + 1)
        case Verdict.FAIL:
            releases.note(release.id, line)
            failed = [f"{key}: {r.reason}" for key, r in rulings.items() if r.verdict is Verdict.FAIL]
            worse = "; ".join([*failed, *slower])
            return _stop(release, StopReason.WORSE_THAN_BEFORE, worse, {}, releases=releases, now=now)
        case _ if release.extensions < deployment.max_extensions:
            longer = release.but(extensions=release.extensions + 1)
            prolonged = LogLine(
                key=f"prolonged-{release.position:02d}-{longer.extensions}",
                at=now,
                milestone=Milestone.PROLONGED,
                text=f"step {release.position} goes on for as long again: {_open(deployment, rulings)}",
            )
            releases.save(longer, line, prolonged)
            return ReleaseWord(next=Then.WAIT, wait=deployment.look_seconds)
        case _:
            releases.note(release.id, line)
            error = verdict is Verdict.ERROR
            why = StopReason.NOT_JUDGED if error else StopReason.TOO_FEW_REQUESTS
            return _stop(release, why, _open(deployment, rulings), {}, releases=releases, now=now)


def _verdict(deployment: Deployment, rulings: Mapping[str, CountsRuling]) -> Verdict:
    """FAIL of any function fails; all that have to prove the release must PASS."""
    if any(ruling.verdict is Verdict.FAIL for ruling in rulings.values()):
        return Verdict.FAIL
    found = {rulings[key].verdict for key in _provers(deployment, rulings)}
    for verdict in (Verdict.ERROR, Verdict.INCONCLUSIVE):
        if verdict in found:
            return verdict
    return Verdict.PASS


def _minutes(
    function: FunctionRelease, where: Sequence[Stretch], functions: Functions
) -> tuple[Minute, ...] | None:
    """Both versions' requests, minute by minute; None where the counts cannot be true."""
    if not any(one.minutes for one in where):
        return ()
    old, new = function.before.version, str(function.candidate)
    found = functions.tallies(function.function, function.alias, [old, new], where[0].start, where[-1].end)
    try:
        return tuple(minute for one in where for minute in paired(found[old], found[new], one))
    except ValidationError:
        return None


def _stop(
    release: Release,
    reason: StopReason,
    why: str,
    detail: dict[str, object],
    *,
    releases: ReleaseLedger,
    now: datetime,
) -> ReleaseWord:
    line = LogLine(
        key=f"stopped-{reason}",
        at=now,
        milestone=Milestone.STOPPED,
        text=f"{reason}: {why}"[:1000],
        detail=detail,
    )
    releases.save(release.stopped(reason, why, now), line)
    return ReleaseWord(next=Then.ROLL_BACK)


def _provers(deployment: Deployment, rulings: Mapping[str, CountsRuling]) -> list[str]:
    """Those that have to prove this release; a set whose provers do not change is proven by what does."""
    return [key for key in rulings if key in deployment.judged_on] or list(rulings)


def _open(deployment: Deployment, rulings: Mapping[str, CountsRuling]) -> str:
    """What is still to be proven."""
    provers = {key: rulings[key] for key in _provers(deployment, rulings)}
    return "; ".join(f"{key}: {r.reason}" for key, r in provers.items() if r.verdict is not Verdict.PASS)
