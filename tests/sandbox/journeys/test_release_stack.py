"""Releases that change the workload's stack, too; and `sam deploy` of that stack beside a release."""

from __future__ import annotations

from sandbox import release_rehearsal as rehearsal
from sandbox import workload
from sandbox.deployment import deploy
from sandbox.release_artifacts import upload
from sandbox.release_templates import deployed
from sandbox.traffic import Traffic
from selfright.domain.release import Milestone, ReleaseStatus, StopReason
from tests.sandbox.journeys import test_release
from tests.sandbox.journeys.conftest import SCALE
from tests.sandbox.journeys.test_release import ledger, live, locked, over
from tests.sandbox.journeys.world import ENVIRONMENT, World

users = test_release.users  # the fixture

# `sam deploy` takes some ten seconds of the wall: here five minutes, and more on a busy machine.
SLOW = {"type": "canary", "percent": 50, "for_seconds": 900}
THRESHOLD = "LatencyWarningMilliseconds"


def as_it_is(world: World) -> tuple[str, dict[str, str], set[str]]:
    """The stack's template, parameters and resources."""
    client = world.client("cloudformation")
    (stack,) = client.describe_stacks(StackName=rehearsal.STACK)["Stacks"]
    resources = client.describe_stack_resources(StackName=rehearsal.STACK)["StackResources"]
    return (
        deployed(world.server, rehearsal.STACK),
        {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]},
        {one["LogicalResourceId"] for one in resources},
    )


def notes(world: World) -> list[str]:
    """The parameter that every template of these journeys adds."""
    found = world.client("ssm").get_parameters(Names=[f"/opportunity-analysis/{ENVIRONMENT}/release-note"])
    return [one["Value"] for one in found["Parameters"]]


def test_a_release_whose_infrastructure_breaks_goes_back_by_itself(world: World, users: Traffic):
    before, stack, served = live(world), as_it_is(world), users.counts()
    unapproved = rehearsal.infrastructure(world.server, "infrastructure", "journey-unapproved")
    rehearsal.ask(world.server, "good", "journey-unapproved", template=unapproved["template"])
    refused = over(world, "journey-unapproved").release
    assert (refused.status, refused.stop) == (ReleaseStatus.REFUSED, StopReason.CHANGE_NOT_APPROVED)
    assert "Broken (Custom::Broken) runs code of its own" in refused.why

    broken = rehearsal.infrastructure(
        world.server, "infrastructure", "journey-broken", **{THRESHOLD: "90000"}
    )
    rehearsal.ask(world.server, "good", "journey-broken", **broken)
    file = over(world, "journey-broken")

    release = file.release
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.STACK_NOT_CHANGED), (
        release.why
    )
    assert "Broken UPDATE_FAILED: Custom resource" in release.why  # AWS says CREATE_FAILED
    assert Milestone.SHIFTED not in {line.milestone for line in file.log}
    assert live(world) == before
    assert as_it_is(world) == stack
    assert notes(world) == []
    assert locked(world) is None
    assert users.counts().since(served).failed == 0


def test_a_stack_that_was_changed_goes_back_by_a_change_set(world: World, users: Traffic):
    """The stack is changed, and then the code is not what was asked for."""
    before, stack = live(world), as_it_is(world)

    more = rehearsal.infrastructure(world.server, "good", "journey-back", **{THRESHOLD: "90000"})
    tampered = {**upload(world.server, "good", "journey-back"), "sha256": "0" * 64}
    rehearsal.ask(world.server, "good", "journey-back", artifacts={"analysis": tampered}, **more)
    file = over(world, "journey-back")

    told = {line.key: line.text for line in file.log}
    assert file.release.status is ReleaseStatus.ROLLED_BACK, file.release.why
    assert "Add ReleaseNote" in told["prepared"]
    assert "is changed" in told["changed"]
    assert "is put back by a change set" in told["restored-stack"]
    assert as_it_is(world) == stack
    assert notes(world) == []
    assert live(world) == before
    assert locked(world) is None
    assert users.counts().failed == 0


def test_sam_deploy_of_the_stack_keeps_working_beside_a_release(world: World, users: Traffic):
    """It leaves the aliases alone, which are where the release left them: no drift for the next release either."""
    parameters = workload.stack_parameters(ENVIRONMENT, SCALE)

    rehearsal.ask(world.server, "good", "journey-beside", strategy=SLOW)
    world.until("it is on its way", lambda: rehearsal.weights_left(world.server) == 3)
    deploy(world.server, workload.TEMPLATE, rehearsal.STACK, {**parameters, THRESHOLD: "90000"})
    file = over(world, "journey-beside")
    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why  # else: alias-moved
    assert live(world) == {f.key: f.candidate for f in file.release.functions}
    assert as_it_is(world)[1][THRESHOLD] == "90000"

    # ... and a release that puts the parameter back finds nothing new in the code, and no drift but its own
    back = rehearsal.infrastructure(
        world.server, "good", "journey-after", **{THRESHOLD: parameters[THRESHOLD]}
    )
    rehearsal.ask(world.server, "good", "journey-after", artifacts={}, **back)
    file = over(world, "journey-after")
    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    assert file.release.changing == ()
    assert notes(world) == ["what a release brought"]
    assert users.counts().failed == 0

    world.client("stepfunctions").start_execution(
        stateMachineArn=world.outputs["RollBackArn"],
        input='{"release_id": "journey-after", "reason": "as it was", "actor": "grace"}',
    )
    world.until(
        "it is gone back", lambda: ledger(world).release("journey-after").status is ReleaseStatus.ROLLED_BACK
    )
    assert notes(world) == []
    deploy(world.server, workload.TEMPLATE, rehearsal.STACK, parameters)
