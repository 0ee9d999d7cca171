"""When Selfright keeps its hands off: people are at work on the workload, or changes are frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from selfright.domain.manifest.section import CLOCK_TIME, MOMENT, PATTERN_RULES, Section, Text, more_than


class Day(StrEnum):
    """Days of the week, in the order of `date.weekday()`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEK = tuple(Day)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    # Beside its own KeyError, zoneinfo raises ValueError for "../x" and OSError for a folder ("Europe").
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin or UTC") from None
    return name


def _moment(value: Any) -> datetime:
    # Left to itself, pydantic reads a bare number as seconds since 1970 and takes times without an offset.
    try:
        if re.fullmatch(MOMENT, value):
            return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    raise ValueError(PATTERN_RULES[MOMENT])


ClockTime = Annotated[str, Field(pattern=CLOCK_TIME)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "pattern": MOMENT})]


@dataclass(frozen=True, slots=True)
class Closure:
    """Why nothing may be changed, and until when."""

    name: str
    reason: str
    until: datetime


class WeeklyWindow(Section):
    """Planned work, every week at the same local time. From 22:00 to 02:00 ends on the following day."""

    name: Text
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = Field(description="Days on which it starts.")
    from_: ClockTime = Field(alias="from")
    to: ClockTime
    timezone: TimeZone = "UTC"

    def end_if_open(self, moment: datetime) -> datetime | None:
        """The end of the window that holds `moment` (aware); None outside. Its last instant is excluded."""
        today = moment.astimezone(ZoneInfo(self.timezone)).date()
        for first_day in (today - timedelta(days=1), today):
            if _WEEK[first_day.weekday()] in self.days:
                start, end = self._span(first_day)
                if start <= moment < end:
                    return end
        return None

    def _span(self, first_day: date) -> tuple[datetime, datetime]:
        # In UTC, because Python compares two times of one zone by their wall clocks, which is wrong across a
        # change of daylight saving. Equal times mean 24 hours, so 00:00 to 00:00 is a whole day.
        last_day = first_day if self.from_ < self.to else first_day + timedelta(days=1)
        zone = ZoneInfo(self.timezone)
        start = datetime.combine(first_day, time.fromisoformat(self.from_), zone)
        end = datetime.combine(last_day, time.fromisoformat(self.to), zone)
        return start.astimezone(UTC), end.astimezone(UTC)


class Freeze(Section):
    """A dated span in which nothing is changed. Its last instant is excluded."""

    name: Text
    from_: Moment = Field(alias="from")
    to: Annotated[Moment, more_than("from_")]


class Windows(Section):
    """All the times at which Selfright keeps its hands off; the workload is open at every other time."""

    maintenance: tuple[WeeklyWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def closed_at(self, moment: datetime) -> Closure | None:
        """What forbids changes at `moment` (aware), and for the longest; None while changes are allowed."""
        closures = [
            Closure(window.name, "maintenance window", end)
            for window in self.maintenance
            if (end := window.end_if_open(moment)) is not None
        ]
        closures += [
            Closure(freeze.name, "change freeze", freeze.to)
            for freeze in self.freezes
            if freeze.from_ <= moment < freeze.to
        ]
        return max(closures, key=lambda closure: closure.until, default=None)
