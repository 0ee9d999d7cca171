"""Woken by an alarm that goes off: take the release back that it speaks against."""

from selfright.domain.signal import Signal
from selfright.edge.alarm_event import alarm_signal
from selfright.edge.queue_room import queue_room
from selfright.usecases.regret_release import Regret, regret_release
from selfright.wiring import house


@queue_room(alarm_signal, calls=lambda: house().aws.calls)
def handler(signal: Signal) -> Regret:
    home = house()
    return regret_release(
        signal,
        workloads=home.workloads,
        releases=home.releases,
        functions=home.functions,
        alarms=home.alarms,
        switches=home.switches,
        roll_backs=home.roll_backs,
        clock=home.clock,
    )
