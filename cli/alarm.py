"""`selfright alarm`: ask what CloudWatch would make of an alarm and a history of datapoints, without an account."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from selfright.domain.alarms import AlarmDefinition, Evaluation, Point

BAD_INPUT = 2  # exit code

app = typer.Typer(no_args_is_help=True)


class _InputError(Exception):
    """A file breaks a rule; the message names file, field and rule."""

    def __init__(self, file: Path, field: str, rule: str) -> None:
        super().__init__(f"{file}: {field}: {rule}" if field else f"{file}: {rule}")


class _Reading(NamedTuple):
    """One entry of POINTS.json: its timestamp as it was written, and what it says."""

    written: Any
    point: Point


@app.callback()
def alarm() -> None:
    """Look into CloudWatch alarms."""


@app.command()
def evaluate(
    alarm_file: Annotated[Path, typer.Argument(metavar="ALARM.json", help="Arguments of PutMetricAlarm.")],
    points_file: Annotated[
        Path,
        typer.Argument(
            metavar="POINTS.json",
            help='[{"timestamp", "value"|null}], one per period, oldest first; {query id: [...]} for metric math.',
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say which state the alarm is in after each period, and why."""
    from selfright.domain.alarms import evaluate_series
    from selfright.domain.errors import BadInputError

    try:
        definition = _definition(alarm_file)
        readings = _readings(definition, alarm_file, points_file)
        try:
            evaluations = evaluate_series(definition, [reading.point for reading in readings])
        except BadInputError as error:
            raise _InputError(points_file, error.field, error.rule) from None
    except _InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        states = [
            {"timestamp": reading.written, "state": evaluation.state.value, "reason": evaluation.reason}
            for reading, evaluation in zip(readings, evaluations, strict=True)
        ]
        typer.echo(json.dumps({"states": states}, indent=2))
    else:
        _print_table(definition, readings, evaluations)


def _definition(file: Path) -> AlarmDefinition:
    from selfright.domain.alarms import AlarmDefinition
    from selfright.domain.errors import BadInputError

    try:
        return AlarmDefinition.parse(_named(_json(file)))
    except BadInputError as error:
        raise _InputError(file, error.field, error.rule) from None


def _named(definition: Any) -> Any:
    """PutMetricAlarm wants a name and a metric; the points stand for both, so they may be left out here."""
    if not isinstance(definition, dict):
        return definition
    names = {"AlarmName": "alarm"}
    if "Metrics" not in definition:
        names |= {"Namespace": "points", "MetricName": "value"}
        if "ExtendedStatistic" not in definition:
            names["Statistic"] = "Average"
    return {**names, **definition}


def _json(file: Path) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise _InputError(file, "", f"{constant} is no JSON number")

    try:
        return json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)
    except OSError as error:
        raise _InputError(file, "", f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise _InputError(file, "", f"is not JSON: {error}") from None


def _readings(definition: AlarmDefinition, alarm_file: Path, file: Path) -> Sequence[_Reading]:
    content = _json(file)
    if isinstance(content, list):
        return _listed(content, definition.period, file, "")
    if isinstance(content, dict):
        return _computed(definition, content, alarm_file, file)
    raise _InputError(file, "", "must be a list of points, or an object of such lists by query id")


def _computed(
    definition: AlarmDefinition, content: Mapping[str, Any], alarm_file: Path, file: Path
) -> Sequence[_Reading]:
    """Compute the watched series of a metric math alarm from the points of its metrics."""
    from selfright.domain.alarms import Point, solve
    from selfright.domain.errors import BadInputError

    wanted = {query.id for query in definition.queries if query.metric is not None}
    for name in sorted(wanted ^ content.keys()):
        raise _InputError(
            file, name, "is no metric of the alarm" if name in content else "is required, as a list"
        )
    metrics = {name: _listed(points, definition.period, file, name) for name, points in content.items()}
    if definition.watched in metrics:
        return metrics[definition.watched]
    if not metrics:
        raise _InputError(file, "", "must have the points of a metric")
    first, periods = next((name, _times(readings)) for name, readings in metrics.items())
    for name, readings in metrics.items():
        if _times(readings) != periods:
            raise _InputError(file, name, f"must have the timestamps of {first}")
    series = {
        name: {
            at: r.point.value for at, r in zip(periods, readings, strict=True) if r.point.value is not None
        }
        for name, readings in metrics.items()
    }
    try:
        watched = solve(definition.queries, series, definition.period, times=periods)[definition.watched]
    except BadInputError as error:
        raise _InputError(alarm_file, error.field, error.rule) from None
    return [
        _Reading(reading.written, Point(reading.point.timestamp, watched.get(at)))
        for at, reading in zip(periods, metrics[first], strict=True)
    ]


def _times(readings: Iterable[_Reading]) -> list[float]:
    return [reading.point.timestamp.timestamp() for reading in readings]


def _listed(content: Any, period: int, file: Path, name: str) -> Sequence[_Reading]:
    if not isinstance(content, list):
        raise _InputError(file, name, "must be a list of points")
    readings = [_reading(entry, file, f"{name}[{place}]") for place, entry in enumerate(content)]
    times = _times(readings)
    for place, (before, at) in enumerate(pairwise(times), start=1):
        if at - before != period:
            rule = f"must be one period ({period} s) after the one before: one point per period, oldest first"
            raise _InputError(file, f"{name}[{place}].timestamp", rule)
    return readings


def _reading(entry: Any, file: Path, field: str) -> _Reading:
    from selfright.domain.alarms import Point

    if not isinstance(entry, dict):
        raise _InputError(file, field, 'must be an object with "timestamp" and "value"')
    for key in ("timestamp", "value"):
        if key not in entry:
            raise _InputError(file, f"{field}.{key}", "is required")
    numbers = {key: _number(entry.get(key), file, f"{field}.{key}") for key in Point._fields[1:]}
    return _Reading(
        entry["timestamp"], Point(_moment(entry["timestamp"], file, f"{field}.timestamp"), **numbers)
    )


def _number(value: Any, file: Path, field: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _InputError(file, field, "must be a number or null")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _InputError(file, field, "must be a finite number")
    return number


def _moment(value: Any, file: Path, field: str) -> datetime:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise _InputError(file, field, "must be an ISO 8601 time such as 2026-11-23T10:00:00Z, or epoch seconds")


def _print_table(
    definition: AlarmDefinition, readings: Sequence[_Reading], evaluations: Sequence[Evaluation]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("timestamp", "value", "state", "reason", title=Text(definition.name))
    styles = {"OK": "green", "ALARM": "bold red", "INSUFFICIENT_DATA": "yellow"}
    for reading, evaluation in zip(readings, evaluations, strict=True):
        value = "-" if reading.point.value is None else f"{reading.point.value:g}"
        state = Text(evaluation.state, styles[evaluation.state])
        table.add_row(Text(str(reading.written)), value, state, Text(evaluation.reason))
    Console().print(table)
