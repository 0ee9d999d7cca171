"""Woken by the signal queue, or by an alarm or a topic itself: decide what each signal is."""

from selfright.domain.signal import DecisionRecord, Signal
from selfright.edge.canary_metric import measure_canary
from selfright.edge.queue_room import queue_room
from selfright.edge.signals import signal
from selfright.usecases.receive_signal import receive_signal
from selfright.wiring import house


@queue_room(signal, calls=lambda: house().aws.calls)
def handler(received: Signal) -> DecisionRecord:
    home = house()
    record = receive_signal(
        received,
        workloads=tuple(home.workloads.values()),
        store=home.store,
        history=home.history,
        workflows=home.workflows,
        clock=home.clock,
    )
    measure_canary(record)
    return record
