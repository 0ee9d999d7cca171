"""The proof that intake works from the schedule to the decision record: a metric, whose absence raises an alarm."""

from __future__ import annotations

from selfright.domain.signal import DecisionRecord, SignalKind
from selfright.edge.room import gauge


def measure_canary(record: DecisionRecord) -> None:
    """Write how old a canary was when it was decided; nothing for any other signal."""
    if record.signal.kind is SignalKind.CANARY:
        gauge("CanaryDecided", (record.decided_at - record.signal.at).total_seconds())
