"""Choice states: the first rule that matches decides; the state's own Assign and Output belong to its Default.

The interpreter tells the default from a rule by the name of the next state, so a rule that leads where the default
leads would assign the default's values. Without a match and a default the execution fails with
States.NoChoiceMatched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.emulator.step_functions.failures import events, failed
from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

choice = asl("component.state.choice.state_choice").StateChoice


def _chosen(_before: Callable[..., None]) -> Callable[[Any, Any], None]:
    def evaluate(self: Any, env: Any) -> None:
        for rule in self.choices_decl.rules:
            rule.eval(env)
            if env.stack.pop() is True:
                env.stack.append((rule.next_stmt.name, False))
                return
        if self.default_state is None:
            raise events.FailureEventException(_no_match(self.name, env))
        env.stack.append((self.default_state.state_name, True))

    return evaluate


def _left(_before: Callable[..., None]) -> Callable[[Any, Any], None]:
    def evaluate_output(self: Any, env: Any) -> None:
        next_state, by_default = env.stack.pop()
        if by_default:
            for field in (self.assign_decl, self.output):
                if field is not None:
                    field.eval(env=env)
        if self.output_path is not None:  # JSONPath only
            self.output_path.eval(env=env)
        env.next_state_name = next_state

    return evaluate_output


def _no_match(state: str, env: Any) -> Any:
    cause = (
        f"An error occurred while executing the state '{state}' (entered at the event id "
        f"#{env.event_history_context.source_event_id}). Failed to transition out of the state. "
        "The state does not point to a next state."
    )
    return failed(env, "ExecutionFailed", "States.NoChoiceMatched", cause)


def install() -> None:
    rule = asl("component.state.choice.choice_rule").ChoiceRule
    original(rule(None, None, None, None, None), "next_stmt")
    replace(choice, "_eval_state", _chosen)
    replace(choice, "_eval_state_output", _left)
