"""Releases of three functions as one set, under users' requests, as EventBridge asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reliability.board import FaultBoard
from sandbox import release_rehearsal as rehearsal
from sandbox.emulator.faults import Fault
from sandbox.faults.defective_release import look, restore
from sandbox.traffic import Traffic
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.domain.errors import NotFoundError
from selfright.domain.release import Milestone, ReleaseFile, ReleaseStatus, StopReason, lock_of
from tests.sandbox.journeys.serving import FUNCTION, alarms_on
from tests.sandbox.journeys.world import ENVIRONMENT, WORKLOAD, World

OVER_WITHIN = 200.0  # seconds of the wall: a release of 20 sandbox minutes takes 40
# Enough for a quarter of it to prove a release within eight minutes at 59 requests.
USERS_RATE = 0.6
# Half at once, and little patience: what these journeys are about is not the judge.
QUICK = {"type": "canary", "percent": 50, "for_seconds": 240}


@pytest.fixture
def users(world: World) -> Iterator[Traffic]:
    """Users of a workload whose alarms are quiet; and afterwards the aliases as they were."""
    world.load.write(0)
    before = {key: alias(world, key) for key in rehearsal.release_set()}
    code = look(world.server, ENVIRONMENT)
    with Traffic(world.server, FUNCTION, USERS_RATE) as users:
        world.until("users are served", lambda: users.counts().ok > 10)
        world.until("no alarm is on", lambda: not alarms_on(world))  # else no release is admitted
        yield users
    for key, one in rehearsal.release_set().items():
        world.client("lambda").update_alias(
            FunctionName=one.name,
            Name=one.alias,
            FunctionVersion=before[key]["FunctionVersion"],
            RoutingConfig={"AdditionalVersionWeights": {}},
        )
    restore(world.server, ENVIRONMENT, code)


def alias(world: World, key: str) -> dict[str, Any]:
    return rehearsal.alias(world.server, rehearsal.release_set()[key])


def live(world: World) -> dict[str, str]:
    return {key: alias(world, key)["FunctionVersion"] for key in rehearsal.release_set()}


def ledger(world: World) -> DynamoDBReleaseLedger:
    return DynamoDBReleaseLedger(world.aws, world.outputs["LedgerTable"])


def over(world: World, release_id: str) -> ReleaseFile:
    """The release once it is over and its executions have ended."""

    def look_at_it() -> ReleaseFile | None:
        try:
            file = ledger(world).file(release_id)
        except NotFoundError:
            return None
        return file if file.release.over and not running(world) else None

    return world.until(f"release {release_id} is over", look_at_it, OVER_WITHIN)


def running(world: World) -> list[str]:
    return [
        execution["name"]
        for machine in ("DeployArn", "RollBackArn")
        for execution in world.client("stepfunctions").list_executions(
            stateMachineArn=world.outputs[machine], statusFilter="RUNNING"
        )["executions"]
    ]


def locked(world: World) -> str | None:
    return world.leases.holder(lock_of(WORKLOAD, ENVIRONMENT), world.now())


def test_a_good_release_goes_out_as_one_set_and_nobody_notices(world: World, users: Traffic):
    before, calm = live(world), users.counts()

    rehearsal.ask(world.server, "good", "journey-good", strategy=QUICK)
    file = over(world, "journey-good")

    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    assert len(file.release.changing) == 3
    assert live(world) == {f.key: f.candidate for f in file.release.functions} != before
    assert rehearsal.weights_left(world.server) == 0
    assert users.counts().since(calm).failed == 0
    assert locked(world) is None
    verdicts = [line.detail["verdict"] for line in file.log if line.milestone is Milestone.JUDGED]
    assert verdicts[-1] == "PASS"


def test_a_release_that_fails_three_of_ten_requests_is_taken_back(world: World, users: Traffic):
    before = live(world)

    rehearsal.ask(world.server, "errors-30", "journey-errors-30")
    file = over(world, "journey-errors-30")

    release = file.release
    assert release.status is ReleaseStatus.ROLLED_BACK
    # The alarm on five crashes in five minutes sees it, too: whichever is first.
    assert release.stop in {StopReason.WORSE_THAN_BEFORE, StopReason.ALARM_WENT_OFF}
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    healed = users.counts()
    world.until("users are served again", lambda: users.counts().since(healed).total > 30)
    assert users.counts().since(healed).failed == 0
    # ... and no version was deleted: the bad one can still be looked at
    versions = world.client("lambda").list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    assert release.functions[-1].candidate in {version["Version"] for version in versions}


def test_a_release_that_fails_one_of_twenty_requests_is_taken_back(world: World, users: Traffic):
    """Too few of them at first for anybody to tell; with all requests at the new versions there are enough."""
    before = live(world)

    rehearsal.ask(world.server, "errors-5", "journey-errors-5", strategy=QUICK)
    release = over(world, "journey-errors-5").release

    assert release.status is ReleaseStatus.ROLLED_BACK
    assert release.stop in {StopReason.WORSE_THAN_BEFORE, StopReason.ALARM_WENT_OFF}
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    seen = users.counts()
    assert 0 < seen.failed < 0.1 * seen.total


def test_a_room_that_dies_is_repeated_and_an_execution_that_is_lost_is_taken_back(
    world: World, users: Traffic
):
    before, calm = live(world), users.counts()
    board = FaultBoard(world.server)
    board.arm(
        Fault(
            caller=world.physical_name("ShiftTraffic"),
            action="lambda:UpdateAlias",
            resource=alias(world, "analysis")["AliasArn"].rpartition(":")[0],  # IAM asks about the function
            nth=1,
            mode="kill-after",
        )
    )
    rehearsal.ask(world.server, "good", "journey-lost", strategy=QUICK)
    world.until("all aliases are shifted", lambda: rehearsal.weights_left(world.server) == 3)
    struck = [call for call in board.calls() if call.struck]
    board.clear()
    assert len(struck) == 1

    # A person stops the execution, and nobody says so: the sweep finds it
    deploy = world.outputs["DeployArn"].replace(":stateMachine:", ":execution:")
    world.client("stepfunctions").stop_execution(executionArn=f"{deploy}:journey-lost")
    release = over(world, "journey-lost").release

    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.EXECUTION_LOST)
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    assert users.counts().since(calm).failed == 0


def test_twice_two_at_once_and_taken_back_by_hand(world: World, users: Traffic):
    before = live(world)
    rehearsal.ask(world.server, "good", "journey-first", strategy=QUICK)
    world.until("it is on its way", lambda: rehearsal.weights_left(world.server) == 3)

    # A second release is refused with the first one's name, and the same request again is the same release
    rehearsal.ask(world.server, "good", "journey-second", strategy=QUICK)
    refused = world.until("the second one is refused", lambda: closed(world, "journey-second"))
    assert (refused.status, refused.stop) == (ReleaseStatus.REFUSED, StopReason.ANOTHER_UNDER_WAY)
    assert "journey-first" in refused.why
    first = ledger(world).release("journey-first")
    again = world.client("lambda").invoke(
        FunctionName=world.outputs["RequestReleaseArn"], Payload=first.request.model_dump_json()
    )
    assert json.load(again["Payload"]) == {"release_id": "journey-first", "status": "running"}

    # ... and a person may stop it at any time
    world.client("stepfunctions").start_execution(
        stateMachineArn=world.outputs["RollBackArn"],
        input=json.dumps({"release_id": "journey-first", "reason": "wrong branch", "actor": "grace"}),
    )
    file = over(world, "journey-first")

    assert (file.release.status, file.release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.BY_HAND)
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    assert users.counts().failed == 0


def closed(world: World, release_id: str) -> Any:
    try:
        release = ledger(world).release(release_id)
    except NotFoundError:
        return None
    return release if release.over else None
