"""Ask the workload whether it works: the new versions themselves before anybody is sent to them, then what users get.

Every question may be asked again: a repeated room does so, and a state machine is run once for a release. What could
not be asked is not passed: the room fails, is repeated, and in the end the release goes back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from selfright.domain.errors import SourceDownError
from selfright.domain.manifest import Http, SmokeInvoke, SmokeWorkflow, When, Workload
from selfright.domain.manifest.probes import ASKED_WITHIN
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.evidence import gate_at
from selfright.domain.release.probing import Answered, Phase, in_one_line, of_run
from selfright.domain.release.steps import ReleaseWord, Then
from selfright.ports import Clock, Leases, Probes, ReleaseLedger
from selfright.usecases.asking import ask, ask_health
from selfright.usecases.release_lock import take_lock

RUN_AGAIN = 5  # seconds until executions are looked at again
PATIENCE = 3  # looks: one bad answer about health is asked again before it counts


def test_release(
    release_id: str,
    phase: Phase,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    leases: Leases,
    probes: Probes,
    clock: Clock,
) -> ReleaseWord:
    """`test` as long as not everything is answered; then what comes next, or `roll_back`.

    Next are `shift` before the traffic is shifted, `wait` while it is and after it, `finish` at the end, `close` for
    what was taken back: that is closed in any case, and how it is then is on record. `leave` where another execution
    took it over.

    Raises SourceDownError where something could not be asked, ConflictError where another release holds the workload.
    """
    release, now = releases.release(release_id), clock.now()
    workload = workloads[release.request.workload]
    if over := _nothing_to_ask(release, phase):
        return ReleaseWord(next=over)
    take_lock(release, leases, now)
    match phase:
        case Phase.END | Phase.RESTORED:
            results = ask_health(workload, probes) if release.touched else ()
            if _may_heal(release, results, phase, workload, now):
                return ReleaseWord(next=Then.TEST, wait=workload.deployment.look_seconds)
        case Phase.DURING:
            results = _synthetic(release, workload, probes, clock)
        case Phase.BEFORE | Phase.AFTER:
            found = _smoke(release, phase, workload, probes)
            if found is None:
                return ReleaseWord(next=Then.TEST, wait=RUN_AGAIN)
            results = found
    line = _line(phase, results, now)
    failed = _failed(release, results)
    if phase is Phase.RESTORED:
        sick = tuple(one.name for one in results if not one.passed)
        health = release.health.model_copy(update={"after": sick})
        releases.save(release.but(health=health), line)
    elif failed and phase is not Phase.DURING:  # there it is the judge that counts them, with those of users
        reason = StopReason.UNHEALTHY if phase is Phase.END else StopReason.SMOKE_TEST_FAILED
        return _stop(release, reason, in_one_line(failed), line, releases)
    elif results:
        releases.note(release.id, line)
    return _next(phase, workload.deployment.look_seconds)


def _nothing_to_ask(release: Release, phase: Phase) -> Then | None:
    if phase is Phase.RESTORED:
        restored = release.status is ReleaseStatus.ROLLING_BACK and release.restored_at
        return None if restored else Then.CLOSE
    if release.status is not ReleaseStatus.RUNNING:
        return Then.LEAVE
    return Then.ROLL_BACK if release.stop else None  # found before this room was repeated


def _smoke(release: Release, phase: Phase, workload: Workload, probes: Probes) -> tuple[Answered, ...] | None:
    """What came of the smoke tests; None while one runs. Those that are answered at once are asked first."""
    versions = {f.key: str(f.candidate) for f in release.changing} if phase is Phase.BEFORE else {}
    tests = workload.deployment.tested(When(phase))
    results: list[Answered] = []
    for name, test in tests.items():
        match test:
            case SmokeInvoke() if phase is Phase.AFTER or test.function in versions:
                results.append(ask(name, test, workload, probes, versions))
            case Http():
                results.append(ask(name, test, workload, probes))
    running = False
    for number, (name, test) in enumerate(tests.items()):
        if isinstance(test, SmokeWorkflow) and all(one.passed for one in results):
            machine = workload.resource(test.state_machine).name
            # Step Functions takes 80 characters; a release's id has at most 63.
            ran = of_run(name, test, probes.run(machine, f"smoke-{release.id}-{number}", test.input))
            running = running or ran is None
            results += [ran] if ran else []
    return None if running and all(one.passed for one in results) else tuple(results)


def _synthetic(release: Release, workload: Workload, probes: Probes, clock: Clock) -> tuple[Answered, ...]:
    """Requests for until the next look, by the alias: it sends them to either version as it sends those of users.

    Fewer than wanted are no harm: where the room's time is up, or Lambda takes no more, the rest is left out.
    """
    deployment, began = workload.deployment, clock.now()
    rounds = math.ceil(deployment.synthetic_requests_per_minute * deployment.look_seconds / 60)
    changing = {function.key for function in release.changing}
    due = [test for test in deployment.synthetic if test.function in changing] * rounds
    sent: list[Answered] = []
    for number, test in enumerate(due):
        if clock.now() - began > timedelta(seconds=ASKED_WITHIN - test.within_seconds):
            break
        try:
            sent.append(ask(f"request-{number + 1}", test, workload, probes))
        except SourceDownError:
            break
    return tuple(sent)


def _may_heal(
    release: Release, results: tuple[Answered, ...], phase: Phase, workload: Workload, now: datetime
) -> bool:
    """Something that was healthy before is not, and it is too early to say so."""
    since = release.restored_at if phase is Phase.RESTORED else gate_at(release, workload.deployment)
    patience = timedelta(seconds=PATIENCE * workload.deployment.look_seconds)
    return bool(_failed(release, results)) and since is not None and now < since + patience


def _failed(release: Release, results: tuple[Answered, ...]) -> tuple[Answered, ...]:
    """What is not passed, and was not unhealthy before the release already."""
    return tuple(one for one in results if not one.passed and one.name not in release.health.before)


def _line(phase: Phase, results: tuple[Answered, ...], now: datetime) -> LogLine:
    what = {
        Phase.BEFORE: "new versions, by number",
        Phase.DURING: "requests of our own, as users send them",
        Phase.AFTER: "new versions, as users get them",
        Phase.END: "health",
        Phase.RESTORED: "health after it was put back",
    }[phase]
    again = f"-{now:%H%M%S}" if phase is Phase.DURING else ""
    return LogLine(
        key=f"tested-{phase}{again}",
        at=now,
        milestone=Milestone.TESTED,
        text=f"{what}: {in_one_line(results)}"[:1000],
        detail={"phase": phase, "tests": [one.model_dump(mode="json") for one in results]},
    )


def _stop(
    release: Release, reason: StopReason, why: str, tested: LogLine, releases: ReleaseLedger
) -> ReleaseWord:
    line = LogLine(
        key=f"stopped-{reason}",
        at=tested.at,
        milestone=Milestone.STOPPED,
        text=f"{reason}: {why}"[:1000],
        detail=tested.detail,
    )
    releases.save(release.stopped(reason, why, tested.at), line)
    return ReleaseWord(next=Then.ROLL_BACK)


def _next(phase: Phase, look_seconds: int) -> ReleaseWord:
    match phase:
        case Phase.BEFORE:
            return ReleaseWord(next=Then.SHIFT, step=1)
        case Phase.AFTER | Phase.DURING:
            return ReleaseWord(next=Then.WAIT, wait=look_seconds)
        case Phase.END:
            return ReleaseWord(next=Then.FINISH)
        case Phase.RESTORED:
            return ReleaseWord(next=Then.CLOSE)
