"""Our own canary: a schedule sends it through the whole intake, so that its silence tells that intake is broken."""

from __future__ import annotations

from typing import Any

from selfright.domain.alarms import State
from selfright.domain.signal import Signal, SignalKind
from selfright.edge.event_parts import Bridged, Filled, read


class _Canary(Bridged):
    """As template.yaml's rule CanarySent writes it."""

    canary: Filled


def canary_signal(event: Any) -> Signal:
    """A Signal from one canary. Raises BadInputError naming the field and the rule."""
    told = read(_Canary, event)
    return Signal(
        kind=SignalKind.CANARY,
        account=told.account,
        region=told.region,
        name="canary",
        subject=told.canary,
        state=State.INSUFFICIENT_DATA,
        at=told.time,
        fact=told.canary,
    )
