"""What a metric alarm watches and when it goes off, read from the shape that PutMetricAlarm takes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

MissingMode = Literal["missing", "ignore", "breaching", "notBreaching"]


class Comparison(StrEnum):
    """How the value is compared; it is the first operand, the threshold or band the second."""

    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"
    OUTSIDE_BAND = "LessThanLowerOrGreaterThanUpperThreshold"
    BELOW_BAND = "LessThanLowerThreshold"
    ABOVE_BAND = "GreaterThanUpperThreshold"

    @property
    def uses_band(self) -> bool:
        """True for the three operators of anomaly detection alarms."""
        return self in _BAND_COMPARISONS


_BAND_COMPARISONS = frozenset({Comparison.OUTSIDE_BAND, Comparison.BELOW_BAND, Comparison.ABOVE_BAND})


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True)


class Metric(_Frozen):
    """One CloudWatch metric with the statistic taken of it."""

    namespace: str
    name: str
    dimensions: dict[str, str] = {}
    stat: str
    unit: str | None = None


class MetricQuery(_Frozen):
    """One series of an alarm: either a metric, or an expression over other series. `period` in seconds."""

    id: str
    metric: Metric | None = None
    expression: str | None = None
    return_data: bool = True
    period: int


class AlarmDefinition(_Frozen):
    """A metric alarm as CloudWatch evaluates it, with every default filled in.

    `n` is EvaluationPeriods, `m` DatapointsToAlarm, `period` seconds, `missing` the treatment of missing data
    that is really used. An alarm on one plain metric has one query. `watched` is the id of the query
    compared.
    """

    name: str
    comparison: Comparison
    threshold: float | None
    n: int
    m: int
    missing: MissingMode
    low_samples: Literal["evaluate", "ignore"]
    period: int
    queries: tuple[MetricQuery, ...]
    watched: str

    @classmethod
    def parse(cls, mapping: Mapping[str, Any]) -> AlarmDefinition:
        """Read the arguments of PutMetricAlarm, or one of DescribeAlarms' MetricAlarms.

        Raises BadInputError: a rule of PutMetricAlarm is broken. `field` is AWS's name, as DatapointsToAlarm.
        """
        # The reader of AWS's shape builds this class, so it can only be imported once the class is there.
        from selfright.domain.alarms.put_metric_alarm import read

        return read(mapping)

    @property
    def samples_needed(self) -> float | None:
        """Raw samples per period below which `EvaluateLowSampleCountPercentile: ignore` keeps the state.

        10 / (1 - p) for 0.5 <= p < 1 and 10 / p for 0 < p < 0.5; None where the rule does not apply.
        Source: CloudWatch User Guide, "Percentile-based CloudWatch alarms and low data samples".
        """
        if self.low_samples == "evaluate":
            return None
        metric = next(query.metric for query in self.queries if query.id == self.watched)
        if metric is None or not metric.stat.startswith("p"):
            return None
        # Exact arithmetic: in floats 10 / (1 - 0.9) is a little over 100, and 100 samples would be too few.
        percentile = Fraction(metric.stat[1:]) / 100
        if not 0 < percentile < 1:
            return None
        return float(10 / (percentile if percentile < Fraction(1, 2) else 1 - percentile))
