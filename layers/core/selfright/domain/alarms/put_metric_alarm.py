"""Reads the shape that PutMetricAlarm takes and DescribeAlarms gives, and holds it to the API's rules.

Source of the limits: CloudWatch API Reference, PutMetricAlarm, MetricDataQuery and MetricStat.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic.alias_generators import to_pascal

from selfright.domain.alarms.definition import AlarmDefinition, Comparison, Metric, MetricQuery, MissingMode
from selfright.domain.errors import BadInputError

MAX_METRICS = 10
MAX_EXPRESSIONS = 10
HOUR, DAY, WEEK = 3_600, 86_400, 604_800  # seconds

_EXTENDED_STATISTIC = re.compile(
    r"p(\d{1,2}(\.\d+)?|100(\.0+)?)|(tm|tc|ts|wm)\d{1,3}(\.\d+)?|IQM|(PR|TC|TM|TS|WM)\(.+\)"
)
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")

Name = Annotated[str, Field(min_length=1, max_length=255)]
Count = Annotated[int, Field(ge=1)]


class _Shape(BaseModel):
    """Part of AWS's JSON: PascalCase keys, exact types, keys that we do not need ignored."""

    model_config = ConfigDict(defer_build=True, alias_generator=to_pascal, strict=True, extra="ignore")


class _Dimension(_Shape):
    name: Name
    value: Annotated[str, Field(min_length=1, max_length=1024)]


class _Metric(_Shape):
    namespace: Name
    metric_name: Name
    dimensions: list[_Dimension] = []


class _MetricStat(_Shape):
    metric: _Metric
    period: Count
    stat: Name
    unit: str | None = None


class _Query(_Shape):
    id: Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_]*$", max_length=255)]
    metric_stat: _MetricStat | None = None
    expression: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    return_data: bool = True
    period: Count | None = None


class _Alarm(_Shape):
    alarm_name: Name
    comparison_operator: Annotated[Comparison, Field(strict=False)]
    evaluation_periods: Count
    datapoints_to_alarm: Count | None = None
    threshold: FiniteFloat | None = None
    treat_missing_data: MissingMode = "missing"
    evaluate_low_sample_count_percentile: Literal["evaluate", "ignore"] = "evaluate"
    metric_name: Name | None = None
    namespace: Name | None = None
    dimensions: list[_Dimension] = []
    period: Count | None = None
    unit: str | None = None
    statistic: str | None = None
    extended_statistic: str | None = None
    metrics: list[_Query] = []
    threshold_metric_id: str | None = None


def read(mapping: Mapping[str, Any]) -> AlarmDefinition:
    """See AlarmDefinition.parse."""
    alarm = _typed(mapping)
    _refuse_other_kinds(mapping)
    queries, watched = _queries_of_math(alarm) if alarm.metrics else _query_of_metric(alarm)
    period = _period(queries)
    _check_window(alarm, period)
    _check_threshold(alarm)
    return AlarmDefinition(
        name=alarm.alarm_name,
        comparison=alarm.comparison_operator,
        threshold=alarm.threshold,
        n=alarm.evaluation_periods,
        m=alarm.datapoints_to_alarm or alarm.evaluation_periods,
        missing=_missing_mode(alarm, queries),
        low_samples=alarm.evaluate_low_sample_count_percentile,
        period=period,
        queries=queries,
        watched=watched,
    )


def _typed(mapping: Mapping[str, Any]) -> _Alarm:
    if not isinstance(mapping, Mapping):
        raise BadInputError("alarm", "must be an object shaped like the arguments of PutMetricAlarm")
    try:
        return _Alarm.model_validate({key: value for key, value in mapping.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        rule = "is required" if first["type"] == "missing" else re.sub(r"^\w+ should", "must", first["msg"])
        raise BadInputError(field, rule) from None


def _refuse_other_kinds(mapping: Mapping[str, Any]) -> None:
    if mapping.get("EvaluationCriteria"):
        raise BadInputError("EvaluationCriteria", "PromQL alarms are not evaluated here")
    window = mapping.get("EvaluationWindow")
    if isinstance(window, Mapping) and "WallClockWindow" in window:
        raise BadInputError(
            "EvaluationWindow", "wall clock windows are not evaluated here, only sliding ones"
        )


def _query_of_metric(alarm: _Alarm) -> tuple[tuple[MetricQuery, ...], str]:
    if alarm.metric_name is None:
        raise BadInputError("MetricName", "is required where Metrics is absent")
    if alarm.namespace is None:
        raise BadInputError("Namespace", "is required with MetricName")
    if alarm.period is None:
        raise BadInputError("Period", "is required with MetricName")
    if (alarm.statistic is None) == (alarm.extended_statistic is None):
        raise BadInputError("Statistic", "exactly one of Statistic and ExtendedStatistic is required")
    if alarm.statistic is not None and alarm.statistic not in _STATISTICS:
        raise BadInputError("Statistic", f"must be one of {', '.join(_STATISTICS)}")
    if alarm.extended_statistic is not None and not _EXTENDED_STATISTIC.fullmatch(alarm.extended_statistic):
        raise BadInputError(
            "ExtendedStatistic", "must be a percentile such as p99, or tm, tc, ts, wm, IQM, PR()"
        )
    metric = Metric(
        namespace=alarm.namespace,
        name=alarm.metric_name,
        dimensions={dimension.name: dimension.value for dimension in alarm.dimensions},
        stat=alarm.statistic or alarm.extended_statistic or "",
        unit=alarm.unit,
    )
    return (MetricQuery(id="m1", metric=metric, period=alarm.period),), "m1"


def _queries_of_math(alarm: _Alarm) -> tuple[tuple[MetricQuery, ...], str]:
    for field, value in alarm.model_dump(
        by_alias=True, include={"metric_name", "namespace", "period"}
    ).items():
        if value is not None:
            raise BadInputError(
                field, f"must be absent with Metrics, as {', '.join(_OF_ONE_METRIC)} all must"
            )
    periods = {query.metric_stat.period for query in alarm.metrics if query.metric_stat}
    periods |= {query.period for query in alarm.metrics if query.period}
    if len(periods) != 1:
        raise BadInputError("Metrics", "every metric of an alarm must have the same Period")
    period = periods.pop()
    queries = tuple(_query(query, index, period) for index, query in enumerate(alarm.metrics))
    if len({query.id for query in queries}) != len(queries):
        raise BadInputError("Metrics", "every Id must be used once")
    if sum(query.metric is not None for query in queries) > MAX_METRICS:
        raise BadInputError("Metrics", f"at most {MAX_METRICS} metrics in one alarm")
    if sum(query.expression is not None for query in queries) > MAX_EXPRESSIONS:
        raise BadInputError("Metrics", f"at most {MAX_EXPRESSIONS} expressions in one alarm")
    # An anomaly detection alarm returns its band too; what it compares is the other series.
    returned = [query.id for query in queries if query.return_data and query.id != alarm.threshold_metric_id]
    if len(returned) != 1:
        raise BadInputError(
            "Metrics", "exactly one query must have ReturnData true: the one the alarm watches"
        )
    return queries, returned[0]


def _query(query: _Query, index: int, period: int) -> MetricQuery:
    if (query.metric_stat is None) == (query.expression is None):
        raise BadInputError(f"Metrics.{index}", "exactly one of MetricStat and Expression is required")
    if query.metric_stat is None:
        return MetricQuery(
            id=query.id, expression=query.expression, return_data=query.return_data, period=period
        )
    source = query.metric_stat
    if source.stat not in _STATISTICS and not _EXTENDED_STATISTIC.fullmatch(source.stat):
        raise BadInputError(f"Metrics.{index}.MetricStat.Stat", f"{source.stat} is no CloudWatch statistic")
    metric = Metric(
        namespace=source.metric.namespace,
        name=source.metric.metric_name,
        dimensions={dimension.name: dimension.value for dimension in source.metric.dimensions},
        stat=source.stat,
        unit=source.unit,
    )
    return MetricQuery(id=query.id, metric=metric, return_data=query.return_data, period=period)


def _period(queries: tuple[MetricQuery, ...]) -> int:
    period = queries[0].period
    if period not in (10, 20, 30) and period % 60:
        raise BadInputError("Period", "must be 10, 20, 30 or a multiple of 60 seconds")
    return period


def _check_window(alarm: _Alarm, period: int) -> None:
    n = alarm.evaluation_periods
    if alarm.datapoints_to_alarm is not None and alarm.datapoints_to_alarm > n:
        raise BadInputError("DatapointsToAlarm", f"must be at most EvaluationPeriods ({n})")
    if period * n > (DAY if period < HOUR else WEEK):
        raise BadInputError(
            "EvaluationPeriods", "Period x EvaluationPeriods: one day at most, 7 from 1 h periods up"
        )


def _check_threshold(alarm: _Alarm) -> None:
    if alarm.comparison_operator.uses_band:
        if alarm.threshold_metric_id not in {query.id for query in alarm.metrics}:
            raise BadInputError("ThresholdMetricId", "must name the query of the anomaly detection band")
    elif alarm.threshold is None:
        raise BadInputError("Threshold", "is required with a static ComparisonOperator")


def _missing_mode(alarm: _Alarm, queries: tuple[MetricQuery, ...]) -> MissingMode:
    # API Reference, PutMetricAlarm, TreatMissingData: alarms on AWS/DynamoDB always ignore missing data "even
    # if you choose a different option". (The User Guide calls it a default to override: docs/alarms.md.)
    if any(query.metric is not None and query.metric.namespace == "AWS/DynamoDB" for query in queries):
        return "ignore"
    return alarm.treat_missing_data
