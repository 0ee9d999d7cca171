"""When Selfright keeps its hands off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.manifest import Closure, WeeklyWindow, Windows

WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MINUTES_A_DAY, MINUTES_A_WEEK = 1440, 7 * 1440
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def weekly(days: list[str], start: str, end: str, timezone: str = "UTC") -> WeeklyWindow:
    return WeeklyWindow.model_validate(
        {"name": "release", "days": days, "from": start, "to": end, "timezone": timezone}
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-24T19:59:59Z", None),
        ("2026-11-24T20:00:00Z", "2026-11-24T22:00:00Z"),
        ("2026-11-24T21:59:59.999Z", "2026-11-24T22:00:00Z"),
        ("2026-11-24T22:00:00Z", None),
        ("2026-11-25T21:00:00Z", None),
        ("2026-11-24T16:30:00-05:00", "2026-11-24T22:00:00Z"),
    ],
)
def test_a_weekly_window_holds_from_its_start_until_just_before_its_end(moment: str, end: str | None):
    assert weekly(["tuesday"], "20:00", "22:00").end_if_open(at(moment)) == (at(end) if end else None)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-28T21:59:00Z", False),
        ("2026-11-28T22:00:00Z", True),
        ("2026-11-29T01:59:00Z", True),
        ("2026-11-29T02:00:00Z", False),
        ("2026-11-29T22:30:00Z", False),
    ],
)
def test_a_window_may_pass_midnight(moment: str, is_open: bool):
    saturday_night = weekly(["saturday"], "22:00", "02:00")

    assert (saturday_night.end_if_open(at(moment)) is not None) is is_open


def test_from_midnight_to_midnight_is_a_whole_day():
    sunday = weekly(["sunday"], "00:00", "00:00")

    assert sunday.end_if_open(at("2026-11-29T00:00:00Z")) == at("2026-11-30T00:00:00Z")
    assert sunday.end_if_open(at("2026-11-29T23:59:59Z")) == at("2026-11-30T00:00:00Z")
    assert sunday.end_if_open(at("2026-11-30T00:00:00Z")) is None


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        # Autumn, New York: 01:30 comes twice, at 05:30Z (EDT) and at 06:30Z (EST); 03:00 EST is 08:00Z.
        ("2026-11-01T05:29:00Z", False),
        ("2026-11-01T05:30:00Z", True),
        ("2026-11-01T06:15:00Z", True),
        ("2026-11-01T07:59:00Z", True),
        ("2026-11-01T08:00:00Z", False),
        # Spring: 01:30 EST is 06:30Z; the clock jumps from 02:00 to 03:00, which is 07:00Z.
        ("2026-03-08T06:29:00Z", False),
        ("2026-03-08T06:30:00Z", True),
        ("2026-03-08T06:59:00Z", True),
        ("2026-03-08T07:00:00Z", False),
    ],
)
def test_a_window_follows_the_local_clock_through_daylight_saving(moment: str, is_open: bool):
    window = weekly(["sunday"], "01:30", "03:00", "America/New_York")

    assert (window.end_if_open(at(moment)) is not None) is is_open


def test_the_second_time_of_an_hour_that_comes_twice_is_later_than_the_first():
    window = weekly(["sunday"], "01:30", "03:00", "America/New_York")
    second_0115 = datetime(2026, 11, 1, 1, 15, fold=1, tzinfo=ZoneInfo("America/New_York"))

    assert window.end_if_open(second_0115) == at("2026-11-01T08:00:00Z")
    assert window.end_if_open(second_0115.replace(fold=0)) is None


def test_the_local_day_counts_not_that_of_the_moment():
    tokyo_monday_morning = weekly(["monday"], "08:00", "09:00", "Asia/Tokyo")

    assert tokyo_monday_morning.end_if_open(at("2026-11-22T23:30:00Z")) == at("2026-11-23T00:00:00Z")
    assert tokyo_monday_morning.end_if_open(at("2026-11-23T23:30:00Z")) is None


@given(
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, MINUTES_A_DAY - 1),
    st.integers(0, MINUTES_A_DAY - 1),
    st.integers(0, MINUTES_A_WEEK - 1),
)
def test_it_agrees_with_counting_the_minutes_of_a_week(days: set[int], start: int, end: int, minute: int):
    length = (end - start) % MINUTES_A_DAY or MINUTES_A_DAY
    into = [(minute - day * MINUTES_A_DAY - start) % MINUTES_A_WEEK for day in days]
    left = [length - minutes for minutes in into if minutes < length]
    window = weekly([WEEK[day] for day in days], clock(start), clock(end))
    moment = MONDAY + timedelta(minutes=minute)

    found = window.end_if_open(moment)

    if not left:
        assert found is None
    else:
        assert found is not None
        assert (found - moment) / timedelta(minutes=1) in left


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def windows(**sections: Any) -> Windows:
    return Windows.model_validate(sections)


def test_without_windows_changes_are_always_allowed():
    assert windows().closed_at(MONDAY) is None


def test_a_freeze_closes_between_two_moments():
    frozen = windows(
        freezes=[{"name": "year end", "from": "2026-12-18T18:00-05:00", "to": "2027-01-04T08:00-05:00"}]
    )
    until = datetime(2027, 1, 4, 8, tzinfo=ZoneInfo("America/New_York"))

    assert frozen.closed_at(at("2026-12-18T22:59:59Z")) is None
    assert frozen.closed_at(at("2026-12-18T23:00:00Z")) == Closure("year end", "change freeze", until)
    assert frozen.closed_at(at("2027-01-04T12:59:59Z")) == Closure("year end", "change freeze", until)
    assert frozen.closed_at(at("2027-01-04T13:00:00Z")) is None


def test_of_several_closures_the_longest_is_told():
    both = windows(
        maintenance=[{"name": "release", "days": ["monday"], "from": "10:00", "to": "12:00"}],
        freezes=[{"name": "audit", "from": "2026-11-23T11:00Z", "to": "2026-11-23T11:30Z"}],
    )

    closure = both.closed_at(at("2026-11-23T11:15:00Z"))

    assert closure == Closure("release", "maintenance window", at("2026-11-23T12:00:00Z"))
