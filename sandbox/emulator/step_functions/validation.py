"""CreateStateMachine and UpdateStateMachine refuse what AWS refuses: grammar, JSONata, missing and unreachable states.

Source of the codes: "ValidateStateMachineDefinition", API reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import stepfunctions

from sandbox.emulator.step_functions.programs import program
from sandbox.emulator.wrapping import replace


def refusal(definition: str) -> str | None:
    """Why AWS would not take this definition, None where it would."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return _message(f"INVALID_JSON_DESCRIPTION: {error}")
    try:
        program(definition)
    except Exception as error:  # noqa: BLE001 - the grammar raises what it likes
        return _message(f"SCHEMA_VALIDATION_FAILED: {error}")
    problem = next(_transitions(machine, ""), None)
    return _message(problem) if problem else None


def _message(problem: str) -> str:
    return f"Invalid State Machine Definition: '{problem}'"


def _transitions(machine: dict[str, Any], at: str) -> Iterator[str]:
    """Problems of one scope (a machine, a branch, a map's processor) and of the scopes inside it."""
    states, reached = machine["States"], {machine["StartAt"]}
    if machine["StartAt"] not in states:
        yield f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {machine['StartAt']} at {at}/StartAt"
    for name, state in states.items():
        place = f"{at}/States/{name}"
        for target in _targets(state):
            reached.add(target)
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {place}"
        for inner in _scopes(state):
            yield from _transitions(inner, place)
    for name in states:
        if name not in reached:
            yield f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable. at {at}/States/{name}'


def _targets(state: dict[str, Any]) -> Iterator[str]:
    for holder in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in holder:
            yield holder["Next"]
    if "Default" in state:
        yield state["Default"]


def _scopes(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from state.get("Branches", ())
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield state[field]


def install() -> None:
    def validate(before: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
        # The original knows where in the definition a JSONata expression does not parse.
        return lambda definition: before(definition) or refusal(definition)

    replace(stepfunctions, "_validate_definition_jsonata", validate)
