"""The boundary of every Lambda function: typed in, typed out, logged, measured.

Errors go out under their own class names: those are what statemachines/*.asl.json catch (see domain/errors.py).
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from pydantic import BaseModel, ValidationError

from selfright.domain.errors import BadInputError

In = TypeVar("In", bound=BaseModel)
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

logger = Logger()  # service name from POWERTOOLS_SERVICE_NAME
metrics = EphemeralMetrics()  # namespace from POWERTOOLS_METRICS_NAMESPACE


def room(
    model: type[In], calls: Callable[[], Mapping[str, int]]
) -> Callable[[Callable[[In], BaseModel]], Handler]:
    """Make a use case a Lambda handler. `calls` tells how many AWS calls were made so far, by operation."""

    def decorate(run: Callable[[In], BaseModel]) -> Handler:
        @functools.wraps(run)
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            step = parsed(model, event)
            logger.set_correlation_id(_correlation_id(step) or context.aws_request_id)
            before = sum(calls().values())
            try:
                result = run(step)
            except Exception:
                logger.exception("step failed", extra={"input": event})
                raise
            finally:
                count_calls(sum(calls().values()) - before)
                collect_garbage_again()
            logger.info("step done", extra={"result": result.model_dump(mode="json")})
            return result.model_dump(mode="json")

        return handler

    return decorate


def _correlation_id(step: BaseModel) -> str | None:
    """What a step is about: its incident or its release."""
    return getattr(step, "incident_id", None) or getattr(step, "release_id", None)


def parsed(model: type[In], event: Any) -> In:
    """The event as `model`.

    Raises BadInputError naming the field.
    """
    try:
        return model.model_validate(event)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInputError(".".join(str(p) for p in first["loc"]) or "input", first["msg"]) from None


def count(name: str, **dimensions: str) -> None:
    """One more of an EMF metric: in total for the service, and by `dimensions`."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    metrics.add_dimensions(service=str(metrics.service), **dimensions)
    metrics.flush_metrics()


def gauge(name: str, seconds: float) -> None:
    """Have a span of seconds written as an EMF metric with this invocation's others."""
    metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=seconds)


def count_calls(number: int) -> None:
    """Write the AWS calls of one invocation as an EMF metric."""
    metrics.add_metric(name="AwsCalls", unit=MetricUnit.Count, value=number)
    metrics.flush_metrics()


def collect_garbage_again() -> None:
    """End of a cold start, see selfright/__init__.py. What it made stays for good and is never looked at again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
