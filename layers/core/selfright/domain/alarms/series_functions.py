"""The arithmetic and the functions of metric math, on numbers, series and arrays of series.

A series maps epoch seconds to values; a period without datapoint has no entry. What a function gives where a
value is missing follows the CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from selfright.domain.alarms.expression_syntax import ExpressionError

Series = dict[float, float]
Value = float | Series | list[Series]

OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}


def combine(sign: str, left: Value, right: Value) -> Value:
    """Apply an operator. Between two series, a value that only one of them lacks counts as 0.

    A datapoint that would divide by zero, overflow or be no real number is dropped.

    Raises ExpressionError: an array meets an array; the guide has no such operation.
    """
    if isinstance(right, list):
        if isinstance(left, list):
            raise ExpressionError(f"{sign} between two arrays of series")
        return [_with_series(sign, left, item) for item in right]
    if isinstance(left, list):
        return [_with_series(sign, item, right) for item in left]
    if isinstance(left, float) and isinstance(right, float):
        return _apply(OPERATORS[sign], left, right)
    return _with_series(sign, left, right)


def _with_series(sign: str, left: float | Series, right: float | Series) -> Series:
    times = {at for side in (left, right) if isinstance(side, dict) for at in side}
    return _finite({at: _apply(OPERATORS[sign], _at(left, at), _at(right, at)) for at in sorted(times)})


def _at(side: float | Series, at: float) -> float:
    return side if isinstance(side, float) else side.get(at, 0.0)


def _apply(apply: Callable[[float, float], float], left: float, right: float) -> float:
    if math.isnan(left) or math.isnan(right):  # the AVG of nothing, for one
        return math.nan
    try:
        return apply(left, right)
    except (ArithmeticError, ValueError):
        return math.nan


def _finite(series: Series) -> Series:
    return {at: value for at, value in series.items() if math.isfinite(value)}


def each(change: Callable[[Series], Series], value: Value) -> Value:
    """Change one series, or each of an array.

    Raises ExpressionError: a number was given.
    """
    if isinstance(value, float):
        raise ExpressionError("a number where a time series should be")
    if isinstance(value, list):
        return [_finite(change(item)) for item in value]
    return _finite(change(value))


def per_point(change: Callable[[float], float]) -> Callable[[Series], Series]:
    return lambda series: {at: float(change(value)) for at, value in series.items()}


def differences(series: Series) -> Series:
    """Give each value minus the one before it; the first has none."""
    times = sorted(series)
    return {at: series[at] - series[before] for before, at in pairwise(times)}


def rates(series: Series) -> Series:
    """Give the change per second since the value before; the first has none."""
    times = sorted(series)
    return {at: (series[at] - series[before]) / (at - before) for before, at in pairwise(times)}


def running_sum(series: Series) -> Series:
    total, sums = 0.0, {}
    for at in sorted(series):
        total += series[at]
        sums[at] = total
    return sums


def fill(
    series: Series, grid: Sequence[float], filler: float | Series | Literal["REPEAT", "LINEAR"]
) -> Series:
    """Give every time of `grid` a value: a number, another series' value, the last one, or a straight line.

    REPEAT has nothing to repeat before the first value, LINEAR no line before the first or after the last.
    """
    if isinstance(filler, float):
        return {at: series.get(at, filler) for at in grid}
    if isinstance(filler, dict):
        return {at: series[at] if at in series else filler[at] for at in grid if at in series or at in filler}
    known = sorted(series)
    filled: dict[float, float] = {}
    following = 0  # place in `known` of the first value at or after the time looked at
    for at in sorted({*grid, *known}):
        while following < len(known) and known[following] < at:
            following += 1
        if at in series:
            filled[at] = series[at]
        elif following and filler == "REPEAT":
            filled[at] = series[known[following - 1]]
        elif following and following < len(known):
            before, after = known[following - 1], known[following]
            share = (at - before) / (after - before)
            filled[at] = series[before] + share * (series[after] - series[before])
    return filled


def choose(condition: Value, chosen: Value, otherwise: Value | None = None) -> Series:
    """IF(): per datapoint of the condition, which is true where it is not 0.

    Where the condition is true and `chosen` lacks the datapoint, the result is 0; where it is false and
    `otherwise` lacks it or is omitted, the datapoint is dropped (the guide's tables, tests/unit/alarms).

    Raises ExpressionError: an array of series, or no series at all.
    """
    if isinstance(condition, list) or isinstance(chosen, list) or isinstance(otherwise, list):
        raise ExpressionError("IF takes single time series and numbers, no array")
    absent: Series = {}
    no = absent if otherwise is None else otherwise
    if isinstance(condition, float):
        picked = chosen if condition else no
        if isinstance(picked, float):
            raise ExpressionError("IF of numbers only gives no time series")
        return picked
    result = {at: _at(chosen, at) for at, truth in condition.items() if truth}
    for at, truth in condition.items():
        if not truth and (isinstance(no, float) or at in no):
            result[at] = _at(no, at)
    return _finite(result)


def _average(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: Sequence[float]) -> float:
    """Give the deviation of the whole population; the guide does not say which one CloudWatch takes."""
    middle = _average(values)
    return math.sqrt(_average([(value - middle) ** 2 for value in values]))


_TOTALS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": _average,
    "MIN": min,
    "MAX": max,
    "STDDEV": _deviation,
}


def total(function: str, value: Value) -> Value:
    """SUM, AVG, MIN, MAX or STDDEV: of one series a number, of an array a series.

    In the AVG of an array a missing value counts as 0, as the guide says; the others leave it out.

    Raises ExpressionError: a number was given.
    """
    summarise = _TOTALS[function]
    if isinstance(value, float):
        raise ExpressionError("a number where a time series should be")
    if isinstance(value, dict):
        return float(summarise(list(value.values()))) if value else math.nan
    times = sorted({at for series in value for at in series})
    if function == "AVG":
        return {at: _average([series.get(at, 0.0) for series in value]) for at in times}
    return {at: float(summarise([series[at] for series in value if at in series])) for at in times}
