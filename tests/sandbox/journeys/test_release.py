"""Releases of three functions as one set, under users' requests, as EventBridge asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import release_rehearsal as rehearsal
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
    # ... and what the manifest asks was asked: by number, as users do, of its health
    tested = {line.key: line.detail["tests"] for line in file.log if line.milestone is Milestone.TESTED}
    assert {key: len(tests) for key, tests in tested.items()} == {
        "tested-before": 2,
        "tested-after": 2,
        "tested-end": 3,
    }
    assert not [test for tests in tested.values() for test in tests if test["why"]]


def test_a_release_that_fails_its_smoke_test_reaches_no_user(world: World, users: Traffic):
    """It crashes nowhere: it tells everybody that the mistake is theirs, which no alarm and no count shows."""
    before, calm = live(world), users.counts()

    rehearsal.ask(world.server, "smoke", "journey-smoke")
    file = over(world, "journey-smoke")

    release = file.release
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.SMOKE_TEST_FAILED)
    assert release.why == "opportunity-is-analysed: answer.statusCode is 400, not 200"
    assert release.shifts == ()
    assert release.health.after == ()  # asked, and nothing is unhealthy
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert users.counts().since(calm).failed == 0
    assert locked(world) is None


def test_a_release_that_takes_three_times_as_long_is_taken_back(world: World, users: Traffic):
    before, calm = live(world), users.counts()

    rehearsal.ask(world.server, "latency", "journey-latency", strategy=rehearsal.LONG_CANARY)
    file = over(world, "journey-latency")

    release = file.release
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    judged = next(line for line in file.log if line.milestone is Milestone.JUDGED)
    ruling = judged.detail["latency"]["orchestrator"]
    assert ruling["verdict"] == "FAIL"
    assert "slower by" in release.why
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert users.counts().since(calm).failed == 0  # nobody failed, 25 % waited
    assert locked(world) is None


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
