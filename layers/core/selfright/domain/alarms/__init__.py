"""CloudWatch's alarms, computed here: metric alarms, metric math, composite alarms, suppressors, mute rules.

Pure: points and states in, states and reasons out. The sandbox evaluates its alarms with it, verification
looks at a metric through it, back-tests replay weeks with it.
"""

from selfright.domain.alarms.composite import CompositeRule
from selfright.domain.alarms.definition import AlarmDefinition, Comparison, Metric, MetricQuery
from selfright.domain.alarms.evaluation import (
    Evaluation,
    breaches,
    evaluate,
    evaluate_series,
    evaluation_range,
)
from selfright.domain.alarms.metric_math import solve
from selfright.domain.alarms.muting import MuteRule, is_muted
from selfright.domain.alarms.suppression import ActionsSuppressor, SuppressedBy
from selfright.domain.alarms.values import Point, State

__all__ = [
    "ActionsSuppressor",
    "AlarmDefinition",
    "Comparison",
    "CompositeRule",
    "Evaluation",
    "Metric",
    "MetricQuery",
    "MuteRule",
    "Point",
    "State",
    "SuppressedBy",
    "breaches",
    "evaluate",
    "evaluate_series",
    "evaluation_range",
    "is_muted",
    "solve",
]
