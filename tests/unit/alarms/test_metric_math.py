"""Metric math: CloudWatch's documented tables, then each function by example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.alarms import Metric, MetricQuery, solve
from selfright.domain.errors import BadInputError

TABLES = json.loads((Path(__file__).parent / "metric_math_tables.json").read_text())["tables"]
ROWS = [
    pytest.param(table["series"], expression, values, id=expression)
    for table in TABLES
    for expression, values in table["expressions"].items()
]

Values = Sequence[float | None]


def metric(name: str) -> MetricQuery:
    return MetricQuery(id=name, metric=Metric(namespace="Shop", name=name, stat="Sum"), period=60)


def expression(text: str, name: str = "e1") -> MetricQuery:
    return MetricQuery(id=name, expression=text, period=60)


def result(text: str, **series: Values) -> list[float | None]:
    """The expression's values by minute, over metrics given by minute."""
    minutes = [60 * place for place in range(max(map(len, series.values())))]
    known = {
        name: {at: value for at, value in zip(minutes, values, strict=False) if value is not None}
        for name, values in series.items()
    }
    solved = solve([*map(metric, series), expression(text)], known, 60, times=minutes)["e1"]
    return [solved.get(at) for at in minutes]


@pytest.mark.parametrize(("series", "text", "values"), ROWS)
def test_documented_table(series: dict[str, Values], text: str, values: Values):
    assert result(text, **series) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a + b", [12.0, 3.0]),
        ("a - b", [8.0, -1.0]),
        ("a * b", [20.0, 2.0]),
        ("a / b", [5.0, 0.5]),
        ("a ^ b", [100.0, 1.0]),
        ("-a", [-10.0, -1.0]),
        ("--a", [10.0, 1.0]),
        ("-a ^ 2", [-100.0, -1.0]),
        ("2 + 3 * a", [32.0, 5.0]),
        ("(2 + 3) * a", [50.0, 5.0]),
        ("100 - a - b", [88.0, 97.0]),
        ("a == 10", [1.0, 0.0]),
        ("a != 10", [0.0, 1.0]),
        ("a <= 1 || b >= 3", [0.0, 1.0]),
        ("a > 5 && b > 5", [0.0, 0.0]),
        ("a > 5 OR b < 1 AND b < 1", [1.0, 0.0]),
        ("1.5e1 * a", [150.0, 15.0]),
        ("PERIOD(a) * a", [600.0, 60.0]),
        ("a - AVG(a)", [4.5, -4.5]),
        ("a / MAX(a)", [1.0, 0.1]),
        ("a - MIN(a)", [9.0, 0.0]),
        ("a / SUM(a) * 11", [10.0, 1.0]),
        ("STDDEV(a) + 0 * a", [4.5, 4.5]),
        ("SUM([a, b])", [12.0, 3.0]),
        ("SUM(METRICS())", [12.0, 3.0]),
        ('SUM(METRICS("b"))', [2.0, 2.0]),
        ("SUM(100 / [a, b])", [60.0, 150.0]),
        ("AVG([a, b] / a)", [0.6, 1.5]),
        ("MAX([a, b])", [10.0, 2.0]),
        ("MIN([a, b])", [2.0, 1.0]),
        ("STDDEV([a, b])", [4.0, 0.5]),
        ("ABS(b - a)", [8.0, 1.0]),
        ("CEIL(a / 3)", [4.0, 1.0]),
        ("FLOOR(a / 3)", [3.0, 0.0]),
        ("SUM(ABS(-[a, b]))", [12.0, 3.0]),
        ("DIFF(a)", [None, -9.0]),
        ("RATE(a)", [None, -0.15]),
        ("RUNNING_SUM(a)", [10.0, 11.0]),
        ("IF(a > 5, 1, 0)", [1.0, 0.0]),
        ("IF(a > 5, a)", [10.0, None]),
        ("IF(1, a, b)", [10.0, 1.0]),
        ("IF(0, a, b)", [2.0, 2.0]),
        ("IF(0, a)", [None, None]),
    ],
)
def test_by_example(text: str, values: Values):
    assert result(text, a=[10, 1], b=[2, 2]) == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a + b", [4.0, 2.0, 4.0, 3.0]),  # the guide: missing values are treated as 0
        ("2 * a", [2.0, None, 8.0, None]),
        ("b / a", [3.0, None, 0.0, None]),  # 2 / missing is a division by zero, missing / 4 is not
        ("AVG([a, b])", [2.0, 1.0, 2.0, 1.5]),  # the guide: missing values are treated as 0
        ("MIN([a, b])", [1.0, 2.0, 4.0, 3.0]),
        ("FILL(a, 0)", [1.0, 0.0, 4.0, 0.0]),
        ("FILL(a, b)", [1.0, 2.0, 4.0, 3.0]),
        ("FILL(a, MIN(a))", [1.0, 1.0, 4.0, 1.0]),
        ("FILL(a, REPEAT)", [1.0, 1.0, 4.0, 4.0]),
        ("FILL(a, LINEAR)", [1.0, 2.5, 4.0, None]),
        ("SUM(FILL(METRICS(), 0))", [4.0, 2.0, 4.0, 3.0]),
        ("DIFF(a)", [None, None, 3.0, None]),
        ("RATE(a)", [None, None, 3 / 120, None]),
    ],
)
def test_gaps(text: str, values: Values):
    assert result(text, a=[1, None, 4, None], b=[3, 2, None, 3]) == pytest.approx(values)


def test_filling_needs_something_to_start_from():
    assert result("FILL(a, REPEAT)", a=[None, 2]) == [None, 2.0]
    assert result("FILL(a, LINEAR)", a=[None, 2]) == [None, 2.0]


def test_error_rate_above_a_least_traffic():
    # Given calls and errors, one quiet minute and one without calls
    rate = result(
        "IF(calls > 20, 100 * errors / calls)", calls=[200, 10, None, 100], errors=[10, 10, None, None]
    )

    # Then only busy minutes have a rate, and no errors there are 0 %
    assert rate == [5.0, None, None, 0.0]


def test_what_is_no_real_number_is_dropped():
    assert result("a / b", a=[1, 1], b=[0, 1]) == [None, 1.0]
    assert result("a ^ 0.5", a=[-1, 4]) == [None, 2.0]
    assert result("a ^ a", a=[1000, 1]) == [None, 1.0]
    assert result("a > AVG(b)", a=[1, 1], b=[None]) == [None, None]


def test_expressions_build_on_one_another_in_any_order():
    # Given e1 that needs e2, listed first
    queries = [expression("e2 * 2"), expression("m + 1", "e2"), metric("m")]

    # When they are solved
    solved = solve(queries, {"m": {60: 3}}, 60)

    # Then every query has its series
    assert solved == {"e1": {60: 8.0}, "e2": {60: 4.0}, "m": {60: 3.0}}


def test_without_times_the_grid_goes_from_the_first_to_the_last_point():
    queries = [metric("a"), metric("b"), expression("FILL(a, 0)")]

    assert solve(queries, {"a": {60: 1}, "b": {240: 1}}, 60)["e1"] == {60: 1.0, 120: 0.0, 180: 0.0, 240: 0.0}


def test_without_any_data_there_is_no_result():
    assert solve([metric("a"), expression("FILL(a, 0)")], {}, 60)["e1"] == {}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("SEARCH('{Shop} Errors', 'Sum')", "the function SEARCH is not supported"),
        ("ANOMALY_DETECTION_BAND(a, 2)", "the function ANOMALY_DETECTION_BAND is not supported"),
        ("SELECT SUM(Errors) FROM Shop", "Metrics Insights queries"),
        ("sum(a)", "the function sum is not supported"),
        ("__import__('os')", "character 1 is not understood"),
        ("a.real", "character 2 is not understood"),
        ("a + z", "there is no query z"),
        ("a +", "it ends too early"),
        ("a a", "'a' follows a complete expression"),
        ("(a", "')' expected, 'end' found"),
        ("* a", "'*' where a value should be"),
        ("5", "must give one time series, and gives a number"),
        ("AVG(a)", "must give one time series, and gives a number"),
        ("METRICS()", "must give one time series, and gives several"),
        ("[a, 1]", "a list holds time series"),
        ("[a, b] + [a, b]", "between two arrays"),
        ("SUM(1)", "a number where a time series should be"),
        ("ABS(1)", "a number where a time series should be"),
        ("IF(a)", "IF takes 2 to 3 arguments"),
        ("IF(a, [a, b])", "no array"),
        ("IF(1, 2, 3)", "IF of numbers only"),
        ("FILL(a, [a, b])", "FILL fills with"),
        ("FILL(a)", "FILL takes 2 arguments"),
        ("METRICS(a)", "METRICS takes a text"),
        ("PERIOD(1)", "PERIOD takes the id of a metric"),
        ('a + "b"', "a text belongs into METRICS"),
        ("(" * 500 + "a" + ")" * 500, "more than 400"),
        ("(" * 100 + "a" + ")" * 100, "more than 40 levels"),
        ("^".join(["a"] * 100), "more than 40 levels"),
        ("+".join(["a"] * 500), "more than 400"),
    ],
)
def test_a_wrong_expression_is_refused_by_name(text: str, rule: str):
    with pytest.raises(BadInputError) as caught:
        result(text, a=[1], b=[2])

    assert caught.value.field == "Metrics.e1.Expression"
    assert rule in caught.value.rule


def test_expressions_in_a_circle_are_refused():
    with pytest.raises(BadInputError, match=r"in a circle: e\d -> e\d -> e\d"):
        solve([expression("e2"), expression("e1", "e2")], {}, 60)


SERIES = st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=8)


@given(SERIES, SERIES)
def test_a_sum_of_series_is_the_sum_of_the_array(left: list[Any], right: list[Any]):
    assert result("a + b", a=left, b=right) == result("SUM([a, b])", a=left, b=right)


@given(SERIES)
def test_filled_series_have_no_gap_and_keep_their_values(values: list[Any]):
    filled = result("FILL(a, 7)", a=values)

    assert filled == [7.0 if value is None else float(value) for value in values]


@given(st.text(alphabet="ab12+-*/^()[],<>=&| IFMAXSUM\"'.", max_size=60))
def test_any_text_is_either_solved_or_refused(text: str):
    with suppress(BadInputError):
        assert len(result(text, a=[1, None], b=[2, 3])) == 2
