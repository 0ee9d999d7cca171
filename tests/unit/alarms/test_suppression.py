"""The six examples of the CloudWatch User Guide, "Alarm suppression": WaitPeriod 2 and ExtensionPeriod 3 units."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from selfright.domain.alarms import ActionsSuppressor, State, SuppressedBy
from selfright.domain.errors import BadInputError
from tests.unit.alarms.builders import START

SUPPRESSOR = ActionsSuppressor(alarm="deploying", wait_period=2, extension_period=3)
WAIT, EXTENSION, ALARM = SuppressedBy.WAIT_PERIOD, SuppressedBy.EXTENSION_PERIOD, SuppressedBy.ALARM


def t(unit: int) -> datetime:
    return START + timedelta(seconds=unit)


def test_1_actions_are_not_suppressed_after_the_wait_period():
    # Given a composite alarm that went off at t2, and a suppressor that stays OK
    held = [SUPPRESSOR.suppresses(t(at), changed=t(2), suppressor=State.OK) for at in (2, 3, 4, 5)]

    assert held == [WAIT, WAIT, None, None]


def test_2_the_suppressor_goes_off_within_the_wait_period():
    assert SUPPRESSOR.suppresses(t(2), changed=t(2), suppressor=State.OK) is WAIT
    assert SUPPRESSOR.suppresses(t(3), changed=t(2), suppressor=State.ALARM) is ALARM
    assert SUPPRESSOR.suppresses(t(9), changed=t(2), suppressor=State.ALARM) is ALARM


def test_3_a_change_back_starts_a_new_wait_period():
    # Given a composite alarm that went off at t2 and back at t3
    held = [SUPPRESSOR.suppresses(t(at), changed=t(3), suppressor=State.OK) for at in (3, 4, 5)]

    assert held == [WAIT, WAIT, None]


def test_4_the_suppressor_was_in_alarm_before():
    assert SUPPRESSOR.suppresses(t(2), changed=t(2), suppressor=State.ALARM, left_alarm=t(0)) is ALARM


def test_5_actions_are_not_suppressed_after_the_extension_period():
    # Given a composite alarm in ALARM since t2, and a suppressor in ALARM from t3 to t6
    held = [
        SUPPRESSOR.suppresses(t(at), changed=t(2), suppressor=State.OK, left_alarm=t(6))
        for at in (6, 7, 8, 9)
    ]

    assert held == [EXTENSION, EXTENSION, EXTENSION, None]


def test_6_a_change_within_the_extension_period_starts_a_wait_period():
    # Given the same, and the composite alarm going back to OK at t7
    held = [
        SUPPRESSOR.suppresses(t(at), changed=t(7), suppressor=State.OK, left_alarm=t(6)) for at in (7, 8, 9)
    ]

    assert held == [WAIT, WAIT, None]


def test_a_suppressor_without_data_does_not_suppress():
    assert SUPPRESSOR.suppresses(t(9), changed=t(2), suppressor=State.INSUFFICIENT_DATA) is None


def test_the_shape_of_put_composite_alarm():
    put = {"ActionsSuppressor": "deploying", "ActionsSuppressorWaitPeriod": 120, "AlarmRule": "TRUE"}

    assert ActionsSuppressor.parse(put) == ActionsSuppressor(
        alarm="deploying", wait_period=120, extension_period=60
    )
    assert ActionsSuppressor.parse({"AlarmRule": "TRUE"}) is None


@pytest.mark.parametrize("value", [-1, 1.5, "60", True, None])
def test_a_wrong_period_is_named(value: Any):
    with pytest.raises(BadInputError, match="ActionsSuppressorExtensionPeriod: must be a whole number"):
        ActionsSuppressor.parse({"ActionsSuppressor": "deploying", "ActionsSuppressorExtensionPeriod": value})
