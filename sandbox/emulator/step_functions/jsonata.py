"""JSONata as Step Functions evaluates it: `$states` and variables are bound, never pasted into the expression.

An expression that fails, gives nothing, or gives a function fails its state with States.QueryEvaluationError.
AWS allows an expression one second; here ten, because the machine under the sandbox may be busy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonata as engine
from jsonata.utils import Utils
from ministack.services import stepfunctions

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

TIMEOUT_MS = 10_000
EVALUATION_FAILED = "EvaluationFailed"
DETAILS = "evaluationFailedEventDetails"

events = asl("component.common.error_name.failure_event")
error_names = asl("component.common.error_name.states_error_name")
error_types = asl("component.common.error_name.states_error_name_type").StatesErrorNameType
strings = asl("component.common.string.string_expression")
paths = asl("utils.json_path")


class UndefinedError(Exception):
    """The expression selects nothing."""


class Recorded(dict[str, Any]):
    """Event details of a failed evaluation that already stands in the history."""


def evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    """The JSON value of `expression` with `bindings` as its variables (names without `$`).

    Raises UndefinedError where it selects nothing, and the library's own errors where it fails.
    """
    value = _run(expression, bindings)
    if value is None and not _run(f"$exists(({expression}))", bindings):
        raise UndefinedError
    return _plain(value)


def _run(expression: str, bindings: Mapping[str, Any]) -> Any:
    compiled = engine.Jsonata.jsonata(expression, timeout=TIMEOUT_MS)
    original(stepfunctions, "_register_sfn_jsonata_functions")(compiled)
    # The library reads a variable that is None as undefined.
    nulls = {name: Utils.NULL_VALUE if value is None else value for name, value in bindings.items()}
    return compiled.evaluate(None, nulls)


def _plain(value: Any) -> Any:
    """`value` as fresh JSON: the library's results share structure with its input and use its own lists."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError("the expression returned an unsupported result type")


def _variables(env: Any) -> dict[str, Any]:
    store = env.variable_store
    return {**store._outer_scope, **store._inner_scope}


def _states(env: Any) -> dict[str, Any]:
    """`$states`: result and errorOutput exist only where there is one."""
    given: dict[str, Any] = env.states._states_data
    optional = ("result", "errorOutput")
    return {key: value for key, value in given.items() if key not in optional or value is not None}


def _failure(env: Any, cause: str) -> Exception:
    """States.QueryEvaluationError, recorded in the history with the state's name as AWS does."""
    error = error_names.StatesErrorName(typ=error_types.StatesQueryEvaluationError)
    event = events.FailureEvent(
        env=env,
        error_name=error,
        event_type=EVALUATION_FAILED,
        event_details={DETAILS: Recorded(error=error.error_name, cause=cause)},
    )
    failure = events.FailureEventException(event)
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=EVALUATION_FAILED,
        event_details={DETAILS: failure.get_evaluation_failed_event_details()},
    )
    raised: Exception = failure
    return raised


def _evaluated_string(_before: Callable[..., None]) -> Callable[[Any, Any], None]:
    def evaluate_body(self: Any, env: Any) -> None:
        try:
            value = evaluate(self.expression, {**_variables(env), "states": _states(env)})
        except UndefinedError:
            cause = f"The JSONata expression '{self.expression}' returned nothing (undefined)."
            raise _failure(env, cause) from None
        except Exception as error:
            code = getattr(error, "error", None)
            reason = f"{code}: {error}" if isinstance(code, str) else str(error)
            cause = f"The JSONata expression '{self.expression}' threw an error during evaluation. {reason}"
            raise _failure(env, cause) from error
        env.stack.append(value)

    return evaluate_body


def _sampled_variable(_before: Callable[..., None]) -> Callable[[Any, Any], None]:
    """`$name.path` in a JSONPath state: variables only, and a missing one is a missing path."""

    def evaluate_body(self: Any, env: Any) -> None:
        variables = _variables(env)
        try:
            env.stack.append(evaluate(self.expression, variables))
        except UndefinedError:
            raise paths.NoSuchJsonPathError(json_path=self.expression, data=variables) from None

    return evaluate_body


def _recorded_once(before: Callable[..., int]) -> Callable[..., int]:
    """Task, Map and Parallel states record the failure that they catch; it must not stand there twice."""

    def add_event(self: Any, context: Any, event_type: Any, event_details: Any = None, **more: Any) -> int:
        if event_details and isinstance(event_details.get(DETAILS), Recorded):
            return int(context.last_published_event_id)
        return before(self, context=context, event_type=event_type, event_details=event_details, **more)

    return add_event


def install() -> None:
    original(stepfunctions, "_register_sfn_jsonata_functions")
    store = asl("eval.variable_store").VariableStore()
    original(store, "_inner_scope")
    original(store, "_outer_scope")
    replace(strings.StringJSONata, "_eval_body", _evaluated_string)
    replace(strings.StringVariableSample, "_eval_body", _sampled_variable)
    replace(asl("eval.event.event_manager").EventManager, "add_event", _recorded_once)
