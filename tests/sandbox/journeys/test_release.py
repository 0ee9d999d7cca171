"""Releases of three functions as one set, under users' requests, as EventBridge asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from reliability.board import FaultBoard
from sandbox import release_rehearsal as rehearsal
from sandbox.emulator.faults import Fault
from sandbox.faults.defective_release import look, restore
from sandbox.release_artifacts import BROKEN_TUNING, BUCKET, upload_definition, upload_tuning
from sandbox.traffic import Traffic, opportunity
from selfright.adapters.configurations import AppConfigConfigurations
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.domain.errors import NotFoundError
from selfright.domain.incident import Incident, IncidentStatus
from selfright.domain.release import Milestone, ReleaseFile, ReleaseStatus, StopReason, lock_of
from tests.sandbox.journeys.serving import FUNCTION, alarms_on
from tests.sandbox.journeys.world import ENVIRONMENT, WORKLOAD, World

FORGOTTEN = timedelta(minutes=16)  # the availability alarm looks at three periods of five minutes
OVER_WITHIN = 200.0  # seconds of the wall: a release of 20 sandbox minutes takes 40
# Enough for a quarter of it to prove a release within eight minutes at 59 requests.
USERS_RATE = 0.6
# Half at once, and little patience: what these journeys are about is not the judge.
QUICK = {"type": "canary", "percent": 50, "for_seconds": 240}


@pytest.fixture
def users(world: World) -> Iterator[Traffic]:
    """Users of a workload whose alarms are quiet; and afterwards aliases and configuration as they were."""
    world.load.write(0)
    before = {key: alias(world, key) for key in rehearsal.release_set()}
    executions = routes(world)
    code, tuning = look(world.server, ENVIRONMENT), rehearsal.configured(world.aws)["tuning"]
    with Traffic(world.server, FUNCTION, USERS_RATE) as users:
        world.until("users are served", lambda: users.counts().ok > 10)
        world.until("no alarm is on", lambda: not alarms_on(world))  # else no release is admitted
        yield users
        if users.counts().failed:
            began = world.now()
            world.until(
                "no alarm can go off for it", lambda: world.now() - began > FORGOTTEN and not alarms_on(world)
            )
    for key, one in rehearsal.release_set().items():
        world.client("lambda").update_alias(
            FunctionName=one.name,
            Name=one.alias,
            FunctionVersion=before[key]["FunctionVersion"],
            RoutingConfig={"AdditionalVersionWeights": {}},
        )
    restore(world.server, ENVIRONMENT, code)
    if routes(world) != executions:
        world.client("stepfunctions").update_state_machine_alias(
            stateMachineAliasArn=f"{machine(world)}:live",
            routingConfiguration=[
                {"stateMachineVersionArn": f"{machine(world)}:{version}", "weight": weight}
                for version, weight in executions.items()
            ],
        )
    board = AppConfigConfigurations(world.aws, world.outputs["SwitchStrategy"])
    place = board.place(rehearsal.manifest().deployment.configurations["tuning"])
    if (state := board.state(place)).live != tuning:
        board.start(place, str(tuning), state.newest, None, "put-back")


def alias(world: World, key: str) -> dict[str, Any]:
    return rehearsal.alias(world.server, rehearsal.release_set()[key])


def live(world: World) -> dict[str, str]:
    return {key: alias(world, key)["FunctionVersion"] for key in rehearsal.release_set()}


def machine(world: World) -> str:
    found = rehearsal.manifest().resource("analysis-workflow")
    listed = world.client("stepfunctions").list_state_machines()["stateMachines"]
    return next(each["stateMachineArn"] for each in listed if each["name"] == found.name)


def routes(world: World) -> dict[str, int]:
    """Percent of the new executions by version."""
    found = world.client("stepfunctions").describe_state_machine_alias(
        stateMachineAliasArn=f"{machine(world)}:live"
    )
    return {
        r["stateMachineVersionArn"].rpartition(":")[2]: r["weight"] for r in found["routingConfiguration"]
    }


def changed(world: World, comment: str) -> str:
    """The definition as it is deployed, with another comment."""
    found = world.client("stepfunctions").describe_state_machine(stateMachineArn=machine(world))
    return json.dumps({**json.loads(found["definition"]), "Comment": comment})


def version_of_a_new_execution(world: World) -> str:
    states = world.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=f"{machine(world)}:live", input=json.dumps({"opportunity": opportunity(3)})
    )

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
        return found if found["status"] != "RUNNING" else None

    found = world.until("an execution by the alias ends", ended)
    assert found["status"] == "SUCCEEDED"
    return str(found["stateMachineVersionArn"].rpartition(":")[2])


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


def versioned(world: World, artifact: dict[str, Any]) -> dict[str, Any]:
    """The same file as a version of an object."""
    s3, where = world.client("s3"), {"Bucket": artifact["bucket"], "Key": artifact["key"]}
    s3.put_bucket_versioning(Bucket=artifact["bucket"], VersioningConfiguration={"Status": "Enabled"})
    body = s3.get_object(**where)["Body"].read()
    return {**artifact, "object_version": s3.put_object(**where, Body=body)["VersionId"]}


def gone_back(world: World, release_id: str) -> ReleaseFile | None:
    file = ledger(world).file(release_id)
    return file if file.release.status is ReleaseStatus.ROLLED_BACK and not running(world) else None


def closed_incident(world: World, since: datetime) -> Incident | None:
    found = [i for i in world.incidents(since) if i.name == rehearsal.ALARM]
    return found[0] if found and found[0].status is not IncidentStatus.OPEN else None


@pytest.fixture
def slow_alarms(world: World) -> Iterator[None]:
    """What an alarm tells is not heard before the next look."""
    rule = world.physical_name("RegretReleaseAlarmWentOff")
    world.client("events").disable_rule(Name=rule)
    yield
    world.client("events").enable_rule(Name=rule)


def closed(world: World, release_id: str) -> Any:
    try:
        release = ledger(world).release(release_id)
    except NotFoundError:
        return None
    return release if release.over else None


def test_a_good_release_goes_out_as_one_set_and_nobody_notices(world: World, users: Traffic):
    """Nor does anybody when an alarm takes it back soon after its end."""
    before, calm = live(world), users.counts()

    # Given a request that was uploaded
    tuning = upload_tuning(world.server, {"max_output_tokens": 700}, "journey-good")
    rehearsal.ask_by_upload(
        world.server,
        "good",
        "journey-good",
        strategy=QUICK,
        configurations={"tuning": versioned(world, tuning)},
        workflows={
            "analysis-workflow": upload_definition(world.server, changed(world, "good"), "journey-good")
        },
    )
    world.until("executions are split, too", lambda: len(routes(world)) == 2, OVER_WITHIN)
    file = over(world, "journey-good")

    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    assert len(file.release.changing) == 3
    assert live(world) == {f.key: f.candidate for f in file.release.functions} != before
    assert rehearsal.weights_left(world.server) == 0
    (workflow,) = file.release.workflows
    assert routes(world) == {workflow.candidate: 100}
    assert version_of_a_new_execution(world) == workflow.candidate != workflow.before.version
    (configuration,) = file.release.configuration
    assert (
        rehearsal.configured(world.aws)
        == {"tuning": configuration.candidate}
        != {"tuning": configuration.before}
    )
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
    sender = file.log[0].detail["sender"]
    assert (sender["by"], sender["object"]) == ("upload", f"s3://{BUCKET}/releases/journey-good.json")

    # When an alarm of the set goes off although the release is over
    began = world.now()
    world.client("cloudwatch").set_alarm_state(
        AlarmName=rehearsal.ALARM, StateValue="ALARM", StateReason="set by a person"
    )
    file = world.until("it goes back", lambda: gone_back(world, "journey-good"))

    # Then it goes back at once, and the runbook leaves it to that
    assert (file.release.stop, file.release.why) == (
        StopReason.ALARM_WENT_OFF,
        f"{rehearsal.ALARM}: set by a person",
    )
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    held = world.until("its incident is closed", lambda: closed_incident(world, began))
    # The alarm may be over before it is looked at
    assert held.status in {IncidentStatus.HELD, IncidentStatus.RECOVERED}, held.outcome
    assert "journey-good" in str(held.outcome)
    assert users.counts().since(calm).failed == 0


def test_an_uploaded_request_that_cannot_be_read_is_kept(sandbox_world: World):
    world, dead = sandbox_world, list[str]()
    rehearsal.put_request(world.server, "releases/journey-broken.json", b'{"release_id": "Broken"}')

    def it_is_dead() -> bool:
        dead.extend(world.take_messages(world.outputs["SignalsDeadLettersUrl"]))
        return any("releases/journey-broken.json" in message for message in dead)

    world.until(
        "it is among the dead letters", it_is_dead
    )  # Lambda tries twice more, after one and two minutes
    with pytest.raises(NotFoundError):
        ledger(world).release("journey-broken")


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


def test_a_text_that_is_no_configuration_is_refused_and_nobody_notices(world: World, users: Traffic):
    configured, calm = rehearsal.configured(world.aws), users.counts()

    tuning = upload_tuning(world.server, "max_output_tokens: 700", "journey-no-configuration")
    rehearsal.ask(world.server, "good", "journey-no-configuration", configurations={"tuning": tuning})
    release = over(world, "journey-no-configuration").release

    assert (release.status, release.stop) == (ReleaseStatus.REFUSED, StopReason.CONFIGURATION_INVALID)
    assert "tuning: is not JSON" in release.why
    assert rehearsal.configured(world.aws) == configured
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
        input=json.dumps(
            {
                "release_id": "journey-first",
                "reason": "wrong branch",
                "actor": "grace",
                "cause": "by-hand",
                "to": "none",
            }
        ),
    )
    file = over(world, "journey-first")

    assert (file.release.status, file.release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.BY_HAND)
    assert live(world) == before
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    assert users.counts().failed == 0


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


@pytest.mark.usefixtures("slow_alarms")
def test_a_release_that_fails_three_of_ten_requests_is_taken_back(world: World, users: Traffic):
    """By the looks of `deploy` itself."""
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


def test_a_configuration_that_makes_everybody_fail_is_taken_back_with_the_code(world: World, users: Traffic):
    before, configured = live(world), rehearsal.configured(world.aws)

    executions = routes(world)
    tuning = upload_tuning(world.server, BROKEN_TUNING, "journey-configuration")
    definition = upload_definition(world.server, changed(world, "as good"), "journey-configuration")
    rehearsal.ask(
        world.server,
        "good",
        "journey-configuration",
        strategy={"type": "all-at-once"},
        configurations={"tuning": tuning},
        workflows={"analysis-workflow": definition},
    )
    file = over(world, "journey-configuration")

    assert file.release.status is ReleaseStatus.ROLLED_BACK, file.release.why
    # The code that knows nothing of it fails its users, and the smoke tests of the new versions
    assert file.release.stop in {StopReason.SMOKE_TEST_FAILED, StopReason.ALARM_WENT_OFF}
    assert (live(world), rehearsal.configured(world.aws)) == (before, configured)
    assert routes(world) == executions
    assert rehearsal.weights_left(world.server) == 0
    assert locked(world) is None
    assert users.counts().failed > 0
    world.until("users are served again", lambda: {c.error for c in users.counts().calls[-30:]} == {None})
