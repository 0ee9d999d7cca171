"""Alarm mute rules: the guide's example schedules, time zones, bounds, and what is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from selfright.domain.alarms import MuteRule, is_muted
from selfright.domain.errors import BadInputError


def put_alarm_mute_rule(
    expression: Any, duration: Any = "PT4H", timezone: Any = None, **more: Any
) -> dict[str, Any]:
    schedule = {"Expression": expression, "Duration": duration, "Timezone": timezone}
    return {"Name": "maintenance", "Rule": {"Schedule": schedule}, **more}


def muted(rule: dict[str, Any], at: str) -> bool:
    return is_muted(MuteRule.parse(rule), datetime.fromisoformat(at))


@pytest.mark.parametrize(
    ("expression", "duration", "shut_before", "first", "last", "shut_after"),
    [
        # Every Sunday from 2:00 to 6:00; 2026-11-22 is a Sunday
        ("cron(0 2 * * SUN)", "PT4H", "22T01:59:59", "22T02:00", "22T05:59:59", "22T06:00"),
        ("cron(0 2 * * 0)", "PT4H", "22T01:59:59", "22T02:00", "22T05:59:59", "22T06:00"),
        ("cron(0 2 * * 7)", "PT4H", "22T01:59:59", "22T02:00", "22T05:59:59", "22T06:00"),
        # The first of the month
        ("cron(0 1 1 * *)", "PT6H", "01T00:59", "01T01:00", "01T06:59", "01T07:00"),
        # Friday evening to Monday morning
        ("cron(0 18 * * FRI)", "P2DT12H", "20T17:59", "20T18:00", "23T05:59", "23T06:00"),
        # Every night across midnight
        ("cron(0 23 * * *)", "PT2H", "10T22:59", "10T23:00", "11T00:59", "11T01:00"),
        # Lists, ranges and names
        ("cron(30 9,17 * NOV MON-WED)", "PT30M", "24T09:29", "24T09:30", "24T09:59", "24T10:00"),
        # Both day fields: either is enough, as in standard cron
        ("cron(0 0 15 * TUE)", "P1D", "14T23:59", "15T00:00", "15T23:59", "16T00:00"),
        # Once
        ("at(2026-11-10T14:00)", "PT4H", "10T13:59", "10T14:00", "10T17:59", "10T18:00"),
        ("at(2026-11-02T00:00)", "P7D", "01T23:59", "02T00:00", "08T23:59", "09T00:00"),
    ],
)
def test_a_window_opens_and_shuts(  # noqa: PLR0917 - the four corners of a window
    expression: str, duration: str, shut_before: str, first: str, last: str, shut_after: str
):
    rule = put_alarm_mute_rule(expression, duration)

    corners = [muted(rule, f"2026-11-{at}+00:00") for at in (shut_before, first, last, shut_after)]

    assert corners == [False, True, True, False]


def test_the_schedule_is_told_in_its_time_zone():
    # Given 2:00 every night in New York, which is 6:00 UTC in summer and 7:00 in winter
    rule = put_alarm_mute_rule("cron(0 2 * * *)", "PT30M", "America/New_York")

    assert [muted(rule, at) for at in ("2026-07-01T06:10Z", "2026-07-01T07:10Z")] == [True, False]
    assert [muted(rule, at) for at in ("2026-12-01T06:10Z", "2026-12-01T07:10Z")] == [False, True]


def test_the_longest_window_is_still_seen_on_its_last_day():
    rule = put_alarm_mute_rule("cron(0 0 1 * *)", "P15D")

    assert muted(rule, "2026-11-15T23:59Z")
    assert not muted(rule, "2026-11-16T00:00Z")


def test_start_and_expiry_bound_the_rule():
    # Given a nightly rule for two nights only
    bounds = {"StartDate": "2026-11-10T00:00:00Z", "ExpireDate": datetime.fromisoformat("2026-11-12T00:30Z")}
    rule = put_alarm_mute_rule("cron(0 23 * * *)", "PT2H", **bounds)

    # Then the night before it is not muted, not even the part after its start, and the last one is cut
    times = ("10T00:10", "10T23:10", "11T23:10", "12T00:29", "12T00:30", "12T23:10")
    assert [muted(rule, f"2026-11-{at}Z") for at in times] == [False, True, True, True, False, False]


def test_bounds_without_a_zone_are_in_the_rules():
    rule = put_alarm_mute_rule("cron(0 0 * * *)", "P1D", "Asia/Tokyo", ExpireDate="2026-11-10T09:00:00")

    assert muted(rule, "2026-11-09T23:59Z")
    assert not muted(rule, "2026-11-10T00:00Z")


def test_the_targets_are_read():
    rule = MuteRule.parse(
        put_alarm_mute_rule("at(2026-11-10T14:00)", MuteTargets={"AlarmNames": ["cpu", "disk"]})
    )

    assert rule.alarms == {"cpu", "disk"}


@pytest.mark.parametrize(
    "expression",
    [
        None,
        "",
        "rate(5 minutes)",
        "cron(0 2 * *)",
        "cron(60 2 * * *)",
        "cron(0 24 * * *)",
        "cron(0 2 0 * *)",
        "cron(0 2 * 13 *)",
        "cron(0 2 * * 8)",
        "cron(*/5 * * * *)",
        "cron(5-1 * * * *)",
        "cron(1-2-3 * * * *)",
        "cron(0 2 * * NOV)",
        "at(2026-02-30T00:00)",
        "at(2026-11-10)",
    ],
)
def test_a_wrong_expression_is_refused(expression: Any):
    with pytest.raises(BadInputError) as caught:
        MuteRule.parse(put_alarm_mute_rule(expression))

    assert caught.value.field == "Rule.Schedule.Expression"


@pytest.mark.parametrize("duration", [None, "", "4h", "PT59S", "P15DT1M", "P1M", "P999999999999D", 240])
def test_a_wrong_duration_is_refused(duration: Any):
    with pytest.raises(BadInputError, match=r"Rule\.Schedule\.Duration: must be an ISO 8601 duration"):
        MuteRule.parse(put_alarm_mute_rule("cron(0 2 * * *)", duration))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"Rule": {}}, "Name"),
        ({"Name": "n"}, "Rule"),
        ({"Name": "n", "Rule": {}}, "Rule.Schedule"),
        (put_alarm_mute_rule("cron(0 2 * * *)", timezone="Mars/Olympus"), "Rule.Schedule.Timezone"),
        (put_alarm_mute_rule("cron(0 2 * * *)", timezone="../etc/passwd"), "Rule.Schedule.Timezone"),
        (put_alarm_mute_rule("cron(0 2 * * *)", StartDate="soon"), "StartDate"),
        (put_alarm_mute_rule("cron(0 2 * * *)", ExpireDate=7), "ExpireDate"),
        (put_alarm_mute_rule("cron(0 2 * * *)", MuteTargets=["cpu"]), "MuteTargets"),
        (put_alarm_mute_rule("cron(0 2 * * *)", MuteTargets={"AlarmNames": "cpu"}), "MuteTargets.AlarmNames"),
    ],
)
def test_a_broken_rule_names_its_field(rule: dict[str, Any], field: str):
    with pytest.raises(BadInputError) as caught:
        MuteRule.parse(rule)

    assert caught.value.field == field
