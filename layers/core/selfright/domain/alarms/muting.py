"""Tells whether an alarm mute rule holds back the actions of its alarms at a given time.

A mute rule stops CloudWatch's own actions, not the state change event that wakes us: we have to look
ourselves.
Source: CloudWatch User Guide, "Alarm mute rules", and PutAlarmMuteRule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from selfright.domain.errors import BadInputError

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=15)

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,7})S)?)?"
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_EXPRESSION, _LENGTH = "Rule.Schedule.Expression", "Rule.Schedule.Duration"
_ZONE = "Rule.Schedule.Timezone"


class CronSchedule(BaseModel):
    """When a recurring mute window begins. `weekdays` counts from Sunday = 0.

    As in standard cron, a day has to match both day fields, unless both are restricted: then one is enough.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def begins_on(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        matches = in_month or in_week if self.either_day else in_month and in_week
        return day.month in self.months and matches


class MuteRule(BaseModel):
    """An alarm mute rule. `starts` is a cron schedule, or the one local time of an at() expression."""

    model_config = ConfigDict(defer_build=True, frozen=True, arbitrary_types_allowed=True)

    name: str
    alarms: frozenset[str]
    starts: CronSchedule | datetime
    duration: timedelta
    zone: tzinfo
    start_date: datetime | None = None
    expire_date: datetime | None = None

    @classmethod
    def parse(cls, mapping: Mapping[str, Any]) -> MuteRule:
        """Read the arguments of PutAlarmMuteRule, or what GetAlarmMuteRule gives.

        Raises BadInputError: a rule of PutAlarmMuteRule is broken; `field` is the dotted AWS name.
        """
        name = mapping.get("Name")
        if not isinstance(name, str) or not name:
            raise BadInputError("Name", "is required")
        schedule = _part(_part(mapping, "Rule", "Rule"), "Schedule", "Rule.Schedule")
        zone = _zone(schedule.get("Timezone"))
        return cls(
            name=name,
            alarms=_targets(mapping),
            starts=_starts(schedule.get("Expression")),
            duration=_duration(schedule.get("Duration")),
            zone=zone,
            start_date=_moment(mapping, "StartDate", zone),
            expire_date=_moment(mapping, "ExpireDate", zone),
        )


def is_muted(rule: MuteRule, at: datetime) -> bool:
    """Tell whether a mute window of the rule is open at `at` (with a time zone), its end not included.

    A window that would have begun before StartDate stays shut; ExpireDate shuts an open one.
    """
    if rule.expire_date is not None and at >= rule.expire_date:
        return False
    return any(
        begin <= at < begin + rule.duration and (rule.start_date is None or begin >= rule.start_date)
        for begin in _beginnings(rule, at)
    )


def _beginnings(rule: MuteRule, at: datetime) -> Iterator[datetime]:
    """Give the beginnings, in UTC, of the windows that may be open at `at`, the newest days first."""
    if isinstance(rule.starts, datetime):
        yield rule.starts.replace(tzinfo=rule.zone).astimezone(UTC)
        return
    today = at.astimezone(rule.zone).date()
    for back in range(rule.duration.days + 2):
        day = today - timedelta(days=back)
        if rule.starts.begins_on(day):
            for hour in rule.starts.hours:
                for minute in rule.starts.minutes:
                    yield datetime.combine(day, time(hour, minute), rule.zone).astimezone(UTC)


def _part(mapping: Mapping[str, Any], key: str, field: str) -> Mapping[str, Any]:
    part = mapping.get(key)
    if not isinstance(part, Mapping):
        raise BadInputError(field, "is required, as an object")
    return part


def _targets(mapping: Mapping[str, Any]) -> frozenset[str]:
    if mapping.get("MuteTargets") is None:
        return frozenset()
    names = _part(mapping, "MuteTargets", "MuteTargets").get("AlarmNames")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInputError("MuteTargets.AlarmNames", "must be a list of alarm names")
    return frozenset(names)


def _zone(name: object) -> tzinfo:
    if name is None or name == "UTC":
        return UTC
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise BadInputError(_ZONE, f"{name} is no time zone such as Europe/London") from None


def _duration(text: object) -> timedelta:
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    length = (
        timedelta(**{unit: int(count) for unit, count in match.groupdict("0").items()})
        if match
        else timedelta()
    )
    if not SHORTEST <= length <= LONGEST:
        raise BadInputError(_LENGTH, "must be an ISO 8601 duration from PT1M to P15D")
    return length


def _moment(mapping: Mapping[str, Any], field: str, zone: tzinfo) -> datetime | None:
    value = mapping.get(field)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise BadInputError(field, "must be an ISO 8601 time") from None
    if value is not None and not isinstance(value, datetime):
        raise BadInputError(field, "must be a time")
    return value.replace(tzinfo=zone) if value is not None and value.tzinfo is None else value


def _starts(expression: object) -> CronSchedule | datetime:
    text = expression.strip() if isinstance(expression, str) else ""
    if once := re.fullmatch(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2})\)", text):
        try:
            return datetime.fromisoformat(once[1])
        except ValueError:
            raise BadInputError(_EXPRESSION, f"{text} names a time that does not exist") from None
    recurring = re.fullmatch(r"cron\((.+)\)", text)
    fields = recurring[1].split() if recurring else []
    if len(fields) != 5:  # noqa: PLR2004 - the five fields of cron
        raise BadInputError(
            _EXPRESSION, "must be cron(minute hour day-of-month month day-of-week) or at(yyyy-MM-ddThh:mm)"
        )
    minute, hour, day, month, weekday = fields
    return CronSchedule(
        minutes=_values(minute, "minute", 0, 59),
        hours=_values(hour, "hour", 0, 23),
        days=_values(day, "day of month", 1, 31),
        months=_values(month, "month", 1, 12, _MONTHS),
        weekdays=frozenset(value % 7 for value in _values(weekday, "day of week", 0, 7, _DAYS)),
        either_day=day != "*" and weekday != "*",
    )


def _values(text: str, what: str, lowest: int, highest: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        if part == "*":
            values.update(range(lowest, highest + 1))
            continue
        ends = [_value(end, lowest, names) for end in part.split("-")]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or first is None or last is None or not lowest <= first <= last <= highest:  # noqa: PLR2004
            raise BadInputError(_EXPRESSION, f"'{part}' is no {what} from {lowest} to {highest}")
        values.update(range(first, last + 1))
    return frozenset(values)


def _value(text: str, lowest: int, names: tuple[str, ...]) -> int | None:
    if text.upper() in names:
        return names.index(text.upper()) + lowest
    return int(text) if re.fullmatch(r"\d{1,2}", text) else None
