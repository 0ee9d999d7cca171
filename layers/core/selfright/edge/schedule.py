"""The event of an EventBridge schedule."""

from __future__ import annotations

from selfright.edge.event_parts import Moment, Part


class ScheduledTime(Part):
    """`time` is when the schedule was due."""

    time: Moment
