"""Assign and Output of one state see the variables as they were when the state began.

The interpreter assigns first and would show Output the new values; here assignments wait until the state is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import replace

PENDING = "assignments that take effect when the state is left"


def install() -> None:
    def remember(_before: Callable[..., None]) -> Callable[[Any, Any], None]:
        def assign(self: Any, env: Any) -> None:
            for binding in self.declaration_bindings:
                binding.eval(env=env)
                env.heap.setdefault(PENDING, {}).update(env.stack.pop())

        return assign

    def take_effect(before: Callable[..., None]) -> Callable[[Any, Any], None]:
        def leave(self: Any, env: Any) -> None:
            for name, value in env.heap.pop(PENDING, {}).items():
                env.variable_store.set(variable_identifier=name, variable_value=value)
            before(self, env)

        return leave

    replace(asl("component.common.assign.assign_decl").AssignDecl, "_eval_body", remember)
    replace(asl("component.state.state").CommonStateField, "_set_next", take_effect)
    replace(asl("component.state.choice.state_choice").StateChoice, "_set_next", take_effect)
