"""Woken by alarm state changes from the signal queue: decide what each of them is."""

from selfright.domain.signal import DecisionRecord, Signal
from selfright.edge.alarm_event import alarm_signal
from selfright.edge.queue_room import queue_room
from selfright.usecases.receive_signal import receive_signal
from selfright.wiring import house


@queue_room(alarm_signal, calls=lambda: house().aws.calls)
def handler(signal: Signal) -> DecisionRecord:
    home = house()
    return receive_signal(
        signal,
        workloads=tuple(home.workloads.values()),
        store=home.store,
        history=home.history,
        workflows=home.workflows,
        clock=home.clock,
    )
