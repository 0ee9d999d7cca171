"""Versions and aliases of state machines, as a release reads and changes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from selfright.adapters.state_machines import StepFunctionsStateMachines
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from tests.unit.adapters.conftest import Stubbed

PREFIX = "arn:aws:states:eu-central-1:123456789012:stateMachine:"
PACKING = f"{PREFIX}packing"
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DEFINITION = '{"StartAt": "Pack", "States": {"Pack": {"Type": "Succeed"}}}'


@pytest.fixture
def machines(stubbed: Stubbed) -> StepFunctionsStateMachines:
    return StepFunctionsStateMachines(stubbed.aws, PREFIX)


def routed(stubbed: Stubbed, **shares: int) -> None:
    """The alias as it is: percent by version (v1=75)."""
    routes = [
        {"stateMachineVersionArn": f"{PACKING}:{version.removeprefix('v')}", "weight": share}
        for version, share in shares.items()
    ]
    stubbed.answer(
        "stepfunctions",
        "describe_state_machine_alias",
        {"stateMachineAliasArn": f"{PACKING}:live", "routingConfiguration": routes, "updateDate": AT},
        stateMachineAliasArn=f"{PACKING}:live",
    )


@pytest.mark.parametrize(
    ("shares", "version", "weights"),
    [
        ({"v3": 100}, "3", {}),
        ({"v9": 75, "v10": 25}, "9", {"10": 0.25}),
        ({"v10": 75, "v9": 25}, "9", {"10": 0.75}),  # the newer one is to come, however much it has got
        ({"v9": 100, "v10": 0}, "9", {}),
        ({"v9": 0, "v10": 100}, "10", {}),
    ],
)
def test_an_alias_is_read(
    stubbed: Stubbed,
    machines: StepFunctionsStateMachines,
    shares: dict[str, int],
    version: str,
    weights: dict[str, float],
):
    routed(stubbed, **shares)

    found = machines.alias("packing", "live")

    assert (found.version, found.weights) == (version, weights)


def test_an_alias_that_is_not_there_is_not_found(stubbed: Stubbed, machines: StepFunctionsStateMachines):
    stubbed.refuse("stepfunctions", "describe_state_machine_alias", "ResourceNotFound")

    with pytest.raises(NotFoundError, match="reading alias live of packing"):
        machines.alias("packing", "live")


def described(stubbed: Stubbed, definition: str, revision: str) -> None:
    answer: dict[str, Any] = {
        "stateMachineArn": PACKING,
        "name": "packing",
        "definition": definition,
        "roleArn": "arn:aws:iam::123456789012:role/packing",
        "type": "STANDARD",
        "creationDate": AT,
        "revisionId": revision,
    }
    stubbed.answer("stepfunctions", "describe_state_machine", answer, stateMachineArn=PACKING)


def published(stubbed: Stubbed, revision: str) -> None:
    stubbed.answer(
        "stepfunctions",
        "publish_state_machine_version",
        {"stateMachineVersionArn": f"{PACKING}:4", "creationDate": AT},
        stateMachineArn=PACKING,
        revisionId=revision,
        description="release shop-42",
    )


def test_a_new_definition_is_taken_up_and_published_at_its_revision(
    stubbed: Stubbed, machines: StepFunctionsStateMachines
):
    described(stubbed, "{}", "r1")
    stubbed.answer(
        "stepfunctions",
        "update_state_machine",
        {"updateDate": AT},
        stateMachineArn=PACKING,
        definition=DEFINITION,
    )
    described(stubbed, DEFINITION, "r2")
    published(stubbed, "r2")

    assert machines.publish("packing", DEFINITION, "shop-42") == "4"


def test_the_same_definition_in_another_layout_is_published_as_it_is(
    stubbed: Stubbed, machines: StepFunctionsStateMachines
):
    described(stubbed, DEFINITION.replace(" ", "\n"), "r2")
    published(stubbed, "r2")

    assert machines.publish("packing", DEFINITION, "shop-42") == "4"


def test_a_definition_that_step_functions_does_not_take_is_refused(
    stubbed: Stubbed, machines: StepFunctionsStateMachines
):
    described(stubbed, "{}", "r1")
    stubbed.refuse("stepfunctions", "update_state_machine", "InvalidDefinition")

    with pytest.raises(RefusedError, match="updating packing"):
        machines.publish("packing", DEFINITION, "shop-42")


def test_somebody_who_changes_it_meanwhile_is_waited_for(
    stubbed: Stubbed, machines: StepFunctionsStateMachines
):
    described(stubbed, DEFINITION, "r2")
    stubbed.refuse("stepfunctions", "publish_state_machine_version", "ConflictException")

    with pytest.raises(BusyError, match="publishing packing"):
        machines.publish("packing", DEFINITION, "shop-42")


@pytest.mark.parametrize(
    ("version", "weights", "routes"),
    [("3", {"4": 0.07}, {"3": 93, "4": 7}), ("4", {}, {"4": 100})],
)
def test_shares_become_whole_percent(
    stubbed: Stubbed,
    machines: StepFunctionsStateMachines,
    version: str,
    weights: dict[str, float],
    routes: dict[str, int],
):
    routed(stubbed, v3=100)
    stubbed.answer(
        "stepfunctions",
        "update_state_machine_alias",
        {"updateDate": AT},
        stateMachineAliasArn=f"{PACKING}:live",
        routingConfiguration=[
            {"stateMachineVersionArn": f"{PACKING}:{number}", "weight": share}
            for number, share in routes.items()
        ],
    )

    machines.route("packing", "live", version, weights, str(AT))


def test_an_alias_that_was_changed_since_it_was_read_is_left_alone(
    stubbed: Stubbed, machines: StepFunctionsStateMachines
):
    routed(stubbed, v3=100)

    with pytest.raises(BusyError, match="was changed meanwhile"):
        machines.route("packing", "live", "4", {}, "earlier")
