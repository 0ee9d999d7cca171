"""An alarm of a release set went off: take the release back at once, while it is on its way or fresh.

`deploy` looks at the alarms too, but only now and then, and after the end nobody does. While a release answers for its
alarms, `respond` holds: docs/decisions/0017-who-takes-a-release-back.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from selfright.domain.alarms import State
from selfright.domain.errors import NotFoundError
from selfright.domain.manifest import Workload
from selfright.domain.release import Release, ReleaseStatus, StopReason
from selfright.domain.signal import Signal
from selfright.ports import Alarms, Clock, Functions, ReleaseLedger, RollBacks, SwitchBoard
from selfright.usecases.recent_release import is_live, newest_begun
from selfright.usecases.watched_alarms import watched_alarms


class Regret(BaseModel):
    """Which release goes back, or why none does."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    alarm: str
    release_id: str | None = None
    goes_back: bool = False
    why: str


def regret_release(
    signal: Signal,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    functions: Functions,
    alarms: Alarms,
    switches: SwitchBoard,
    roll_backs: RollBacks,
    clock: Clock,
) -> Regret:
    """Start `roll_back` for the release that the alarm speaks against; once, however often it is told.

    A release on its way goes back without asking further, as its own looks would let it. One that is over needs an
    alarm that is on still, not muted, and younger than the release; and people who have not switched automation off.

    Raises SourceDownError where one of that cannot be asked: the event is then given again, and kept in the end.
    """
    name = signal.name
    workload = next((w for w in workloads.values() if name in watched_alarms(w)), None)
    found = newest_begun(workload, releases) if workload and signal.state is State.ALARM else None
    if workload is None or found is None:
        return Regret(alarm=name, why="it is the alarm of no release")
    release = releases.release(found.id)  # not an older copy
    match release.status:
        case ReleaseStatus.RUNNING:
            spared = (
                "it was on before, and the glass was broken over it" if name in release.red_before else None
            )
        case ReleaseStatus.COMPLETED:
            reasons = _reasons_to_spare(release, workload, signal, functions, alarms, switches, clock)
            spared = next(reasons, None)
        case _:
            spared = f"the release is {release.status}"
    if spared:
        return Regret(alarm=name, release_id=release.id, why=spared)
    roll_backs.start(release.id, signal.reason or "it went off", name, StopReason.ALARM_WENT_OFF)
    return Regret(alarm=name, release_id=release.id, goes_back=True, why=signal.reason or "it went off")


def _reasons_to_spare(  # noqa: PLR0917 - all that is asked for a release that is over
    release: Release,
    workload: Workload,
    signal: Signal,
    functions: Functions,
    alarms: Alarms,
    switches: SwitchBoard,
    clock: Clock,
) -> Iterator[str]:
    """Why a completed release stays; what costs a call is asked last."""
    now = clock.now()
    regret = timedelta(seconds=workload.deployment.regret_seconds)
    if release.closed_at is None or now - release.closed_at > regret:
        yield "the release is completed for too long: the matter is respond's"
    if signal.at <= release.shifts[0]:
        yield "the alarm went off before the release had requests"
    closed = workload.windows.closed_at(now)
    if closed and closed.reason != "change freeze":
        yield f"people are at work: {closed.name}"
    if switches.read().kill_switch:
        yield "the kill switch is on"
    try:
        alarm = alarms.now(signal.name)
    except NotFoundError:
        yield "the alarm does not exist any more"
        return
    if alarm.state is not State.ALARM:
        yield f"the alarm is {alarm.state} again"
    if alarm.muted_by or alarm.suppressed_by or not alarm.actions_enabled:
        yield "the alarm is muted, suppressed, or its actions are disabled"
    if not is_live(release, functions):
        yield "something else is live by now: the matter is respond's"
