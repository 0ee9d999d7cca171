"""Tells whether a composite alarm's actions are held back by its suppressor alarm.

Source: CloudWatch User Guide, "Alarm suppression", whose six examples are tests of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from selfright.domain.alarms.values import State
from selfright.domain.errors import BadInputError

DEFAULT_PERIOD = (
    60  # seconds; what the guide recommends and the CDK sets, as metric alarms move once a minute
)


class SuppressedBy(StrEnum):
    """CompositeAlarm.ActionsSuppressedBy."""

    WAIT_PERIOD = "WaitPeriod"
    EXTENSION_PERIOD = "ExtensionPeriod"
    ALARM = "Alarm"


class ActionsSuppressor(BaseModel):
    """The suppressor of a composite alarm. Both periods in seconds."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    alarm: str
    wait_period: int = DEFAULT_PERIOD
    extension_period: int = DEFAULT_PERIOD

    @classmethod
    def parse(cls, mapping: Mapping[str, Any]) -> ActionsSuppressor | None:
        """Read the arguments of PutCompositeAlarm, or one of DescribeAlarms' CompositeAlarms.

        None where the alarm has no suppressor.

        Raises BadInputError: a period is no whole number of seconds from 0 up.
        """
        alarm = mapping.get("ActionsSuppressor")
        if not alarm:
            return None
        return cls(
            alarm=str(alarm),
            wait_period=_seconds(mapping, "ActionsSuppressorWaitPeriod"),
            extension_period=_seconds(mapping, "ActionsSuppressorExtensionPeriod"),
        )

    def suppresses(
        self, at: datetime, *, changed: datetime, suppressor: State, left_alarm: datetime | None = None
    ) -> SuppressedBy | None:
        """Say what holds the actions back at the time `at`, or None: they are performed.

        `changed` is when the composite alarm last changed state, `suppressor` the suppressor's state now, and
        `left_alarm` when it last went out of ALARM, None if it never did. Of the two periods the one that
        began later counts, because either start discards the other.
        """
        if suppressor is State.ALARM:
            return SuppressedBy.ALARM
        if left_alarm is not None and left_alarm >= changed:
            extended = at < left_alarm + timedelta(seconds=self.extension_period)
            return SuppressedBy.EXTENSION_PERIOD if extended else None
        return SuppressedBy.WAIT_PERIOD if at < changed + timedelta(seconds=self.wait_period) else None


def _seconds(mapping: Mapping[str, Any], field: str) -> int:
    value = mapping.get(field, DEFAULT_PERIOD)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInputError(field, "must be a whole number of seconds, 0 or more")
    return value
