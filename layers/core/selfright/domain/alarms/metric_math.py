"""Computes metric math expressions: walks the tree of each, never runs text as code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from selfright.domain.alarms import series_functions as functions
from selfright.domain.alarms.definition import MetricQuery
from selfright.domain.alarms.expression_syntax import (
    Call,
    ExpressionError,
    Listing,
    Negation,
    Node,
    Number,
    Operation,
    Reference,
    Text,
    parse,
    references,
)
from selfright.domain.alarms.series_functions import Series, Value
from selfright.domain.errors import BadInputError

_EACH: Mapping[str, Callable[[Series], Series]] = {
    "ABS": functions.per_point(abs),
    "CEIL": functions.per_point(math.ceil),
    "FLOOR": functions.per_point(math.floor),
    "DIFF": functions.differences,
    "RATE": functions.rates,
    "RUNNING_SUM": functions.running_sum,
}
_TOTALS = ("SUM", "AVG", "MIN", "MAX", "STDDEV")
_ARGUMENTS = {"IF": (2, 3), "FILL": (2, 2), "METRICS": (0, 1), "PERIOD": (1, 1)}


def solve(
    queries: Sequence[MetricQuery],
    series: Mapping[str, Mapping[float, float]],
    period: int,
    *,
    times: Iterable[float] | None = None,
) -> Mapping[str, Mapping[float, float]]:
    """Compute every query of an alarm or of a GetMetricData call.

    `series` gives the metrics by query id, epoch seconds to value; a metric without an entry has no data.
    `times` are the periods of the request, which FILL fills; when omitted, all periods of `period` seconds
    from the first to the last datapoint of any metric. The result has every query by id.

    Raises BadInputError: an expression that is wrong, or uses what is not supported; it is named.
    """
    trees = {query.id: _tree(query) for query in queries if query.expression is not None}
    metrics = {query.id: _floats(series.get(query.id, {})) for query in queries if query.expression is None}
    periods = {query.id: query.period for query in queries if query.expression is None}
    grid = sorted(times) if times is not None else _grid(metrics.values(), period)
    solved: dict[str, Series] = {**metrics}
    for name in _in_order(trees, metrics):
        try:
            value = _Walk(solved, metrics, periods, grid).value(trees[name])
        except ExpressionError as error:
            raise BadInputError(f"Metrics.{name}.Expression", str(error)) from None
        if not isinstance(value, dict):
            given = "a number" if isinstance(value, float) else "several"
            raise BadInputError(f"Metrics.{name}.Expression", f"must give one time series, and gives {given}")
        solved[name] = value
    return {query.id: solved[query.id] for query in queries}


def _floats(series: Mapping[float, float]) -> Series:
    return {at: float(value) for at, value in series.items()}


def _tree(query: MetricQuery) -> Node:
    text = query.expression or ""
    if text.lstrip()[:6].upper() == "SELECT":
        raise BadInputError(
            f"Metrics.{query.id}.Expression", "Metrics Insights queries (SELECT) are not supported"
        )
    try:
        return parse(text)
    except ExpressionError as error:
        raise BadInputError(f"Metrics.{query.id}.Expression", str(error)) from None


def _in_order(trees: Mapping[str, Node], metrics: Mapping[str, Series]) -> list[str]:
    needs = {name: {other for other in references(tree) if other in trees} for name, tree in trees.items()}
    try:
        return [name for name in TopologicalSorter(needs).static_order() if name not in metrics]
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise BadInputError(
            "Metrics", f"expressions must not need one another in a circle: {circle}"
        ) from None


def _grid(all_series: Iterable[Series], period: int) -> list[float]:
    known = {at for series in all_series for at in series}
    if not known:
        return []
    first, last = min(known), max(known)
    return sorted(known | {first + step * period for step in range(round((last - first) / period) + 1)})


class _Walk:
    """Computes one tree over what is solved already."""

    def __init__(
        self,
        solved: Mapping[str, Series],
        metrics: Mapping[str, Series],
        periods: Mapping[str, int],
        grid: list[float],
    ) -> None:
        self._solved = solved
        self._metrics = metrics
        self._periods = periods
        self._grid = grid

    def value(self, node: Node) -> Value:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Reference):
            return self._query(node.name)
        if isinstance(node, Negation):
            return functions.combine("*", -1.0, self.value(node.operand))
        if isinstance(node, Operation):
            return functions.combine(node.operator, self.value(node.left), self.value(node.right))
        if isinstance(node, Listing):
            return [series for item in node.items for series in self._as_array(item)]
        if isinstance(node, Call):
            return self._call(node)
        raise ExpressionError("a text belongs into METRICS() only")

    def _query(self, name: str) -> Series:
        if name not in self._solved:
            raise ExpressionError(f"there is no query {name}")
        return self._solved[name]

    def _as_array(self, node: Node) -> list[Series]:
        value = self.value(node)
        if isinstance(value, float):
            raise ExpressionError("a list holds time series, no numbers")
        return value if isinstance(value, list) else [value]

    def _call(self, call: Call) -> Value:
        name, arguments = call.function, call.arguments
        if name not in _EACH and name not in _TOTALS and name not in _ARGUMENTS:
            raise ExpressionError(f"the function {name} is not supported")
        least, most = _ARGUMENTS.get(name, (1, 1))
        if not least <= len(arguments) <= most:
            raise ExpressionError(
                f"{name} takes {least if least == most else f'{least} to {most}'} arguments"
            )
        if name == "METRICS":
            return self._metrics_named(arguments)
        if name == "PERIOD":
            return self._period(arguments[0])
        if name == "FILL":
            return self._fill(arguments[0], arguments[1])
        values = [self.value(argument) for argument in arguments]
        if name == "IF":
            return functions.choose(*values)
        return functions.total(name, values[0]) if name in _TOTALS else functions.each(_EACH[name], values[0])

    def _metrics_named(self, arguments: Sequence[Node]) -> list[Series]:
        if not arguments:
            return list(self._metrics.values())
        if not isinstance(arguments[0], Text):
            raise ExpressionError('METRICS takes a text, such as METRICS("errors")')
        return [series for name, series in self._metrics.items() if arguments[0].value in name]

    def _period(self, node: Node) -> float:
        if not isinstance(node, Reference) or node.name not in self._periods:
            raise ExpressionError("PERIOD takes the id of a metric, not of an expression")
        return float(self._periods[node.name])

    def _fill(self, node: Node, filler: Node) -> Value:
        with_what: float | Series | Literal["REPEAT", "LINEAR"]
        match filler:
            case Reference("REPEAT"):
                with_what = "REPEAT"
            case Reference("LINEAR"):
                with_what = "LINEAR"
            case _:
                value = self.value(filler)
                if isinstance(value, list):
                    raise ExpressionError("FILL fills with a number, one time series, REPEAT or LINEAR")
                with_what = value
        return functions.each(lambda series: functions.fill(series, self._grid, with_what), self.value(node))
