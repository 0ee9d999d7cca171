"""AWS::StepFunctions::StateMachine: refused like CreateStateMachine, and its LoggingConfiguration takes effect.

MiniStack's provisioner writes the record itself: no validation, and the logging configuration stays in the
PascalCase of templates, which nothing reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from sandbox.emulator.wrapping import PinnedNameMovedError, original, replace

TYPE = "AWS::StepFunctions::StateMachine"
LOGGING = "loggingConfiguration"

Create = Callable[[str, dict[str, Any], str], tuple[str, dict[str, Any]]]


def in_api_casing(value: Any) -> Any:
    """A template's property as the API spells it: keys begin in lower case."""
    if isinstance(value, dict):
        return {f"{key[:1].lower()}{key[1:]}": in_api_casing(item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_api_casing(item) for item in value]
    return value


def install() -> None:
    def validated(before: Create) -> Create:
        def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
            definition = original(provisioners, "_sfn_definition")(props)
            refusal = original(stepfunctions, "_validate_definition_jsonata")(definition)
            if refusal:
                raise original(provisioners, "_sfn_handler_error")(refusal)
            arn, attributes = before(logical_id, props, stack_name)
            machine = original(stepfunctions, "_state_machines")[arn]
            machine[LOGGING] = in_api_casing(machine[LOGGING])
            return arn, attributes

        return create

    def readable(before: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def update(data: dict[str, Any]) -> Any:
            return before({**data, LOGGING: in_api_casing(data[LOGGING])} if LOGGING in data else data)

        return update

    replace(stepfunctions, "_update_state_machine", readable)
    # Named twice: in the table of types, and where an update replaces the machine.
    before = replace(provisioners, "_sfn_state_machine_create", validated)
    handlers = original(provisioners, "_RESOURCE_HANDLERS").get(TYPE, {})
    if handlers.get("create") is not before:
        raise PinnedNameMovedError(f"{TYPE} is created by another function than _sfn_state_machine_create")
    handlers["create"] = original(provisioners, "_sfn_state_machine_create")
