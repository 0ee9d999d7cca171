"""Users get errors: a bad release is rolled back, a failing dependency is circumvented, a wrong suspect is released."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import faults
from sandbox.server import ROOT
from sandbox.traffic import Traffic
from sandbox.workload import stack_name
from selfright.adapters.flags import AppConfigFlagBoard
from selfright.domain.incident import AttemptStatus, CaseFile, IncidentStatus
from selfright.domain.judgement import Outcome
from selfright.domain.serving import FlagPlace
from tests.sandbox.journeys.world import ENVIRONMENT, World

FUNCTION = f"{stack_name(ENVIRONMENT)}-orchestrator"
FLAG = FlagPlace(
    application=stack_name(ENVIRONMENT), environment=ENVIRONMENT, profile="flags", flag="use_fallback_model"
)
USERS_RATE = 0.3  # analyses a sandbox second: 18 a minute, of which the alarms want ten
PROVEN = 70  # analyses that a version has served well; the runbook wants 59
# Seconds of the wall: ten minutes until the alarm, a verdict after seven to twelve.
RESOLVED_WITHIN = 120.0


@pytest.fixture
def users(world: World) -> Iterator[Traffic]:
    """Users that are served well, by alarms that are quiet; and afterwards all as it was."""
    world.load.write(0)
    board = AppConfigFlagBoard(world.aws, world.outputs["SwitchStrategy"])
    with Traffic(world.server, FUNCTION, USERS_RATE) as users:
        world.until("the version is proven", lambda: users.counts().ok > PROVEN)
        world.until("no alarm is on", lambda: not alarms_on(world))
        yield users
        for fault in faults.active(world.server, ENVIRONMENT):
            faults.off(fault, world.server, ENVIRONMENT)
        if board.read(FLAG):
            board.throw(FLAG, value=False)


def alarms_on(world: World) -> list[str]:
    found = world.client("cloudwatch").describe_alarms(AlarmNamePrefix=FUNCTION, StateValue="ALARM")
    return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]


def live_version(world: World) -> str:
    alias = world.client("lambda").get_alias(FunctionName=FUNCTION, Name="live")
    return str(alias["FunctionVersion"])


def remedied(world: World, users: Traffic, fault: str) -> CaseFile:
    """The case of the incident that acts; another alarm's incident of the same function waits for its lease."""
    began = world.now()
    faults.on(fault, world.server, ENVIRONMENT)

    def acting() -> str | None:
        ours = (i for i in world.incidents(began) if i.resource == "orchestrator")
        return next((i.id for i in ours if world.acted(i.id)), None)

    case = world.closed(world.until("an incident acts", acting, RESOLVED_WITHIN), RESOLVED_WITHIN)
    healed = users.counts()
    world.until("users are served again", lambda: users.counts().since(healed).total > 30)
    assert users.counts().since(healed).failed <= 1
    return case


def test_a_bad_release_is_rolled_back(world: World, users: Traffic):
    good = live_version(world)

    case = remedied(world, users, "bad-release")

    assert (case.incident.status, case.incident.runbook) == (IncidentStatus.RESOLVED, "high-error-rate")
    (attempt,) = case.attempts
    assert attempt.plan is not None
    assert attempt.plan.action == "lambda.roll_back_alias"
    assert (attempt.plan.after["version"], live_version(world)) == (good, good)
    assert attempt.facts["release"]["percent_failed"][good] <= 2
    assert attempt.judgement is not None
    assert attempt.judgement.outcome is Outcome.HEALTHY


def test_a_failing_dependency_is_circumvented(world: World, users: Traffic):
    live = live_version(world)

    case = remedied(world, users, "dependency-errors")

    assert case.incident.status is IncidentStatus.RESOLVED
    (attempt,) = case.attempts
    assert (attempt.remedy, attempt.status) == ("open-circuit", AttemptStatus.VERIFIED)
    assert set(attempt.facts["failures"]["by_dependency"]) == {"bedrock"}
    assert AppConfigFlagBoard(world.aws, world.outputs["SwitchStrategy"]).read(FLAG)
    assert live_version(world) == live


def test_the_wrong_suspect_is_released_and_the_second_remedy_works():
    """`selfright demo undo`, as a newcomer types it."""
    run = subprocess.run(  # noqa: S603
        [str(Path(sys.executable).with_name("selfright")), "demo", "undo", "--json"],
        cwd=ROOT,
        capture_output=True,
        timeout=400,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    )

    assert run.returncode == 0, run.stderr.decode()
    facts = json.loads(run.stdout)
    first, second = facts["actions"]
    assert (first["action"], first["status"]) == ("lambda.roll_back_alias", "undone")
    assert (second["action"], second["status"]) == ("flags.open_circuit", "verified")
    assert [proof["outcome"] for proof in facts["verified_on"]] == ["sick", "healthy"]
    # The release that was suspected is live again, as it was when the incident began.
    assert facts["live_version"]["after"] == first["before"]["version"] != first["after"]["version"]
    undone = [entry for entry in facts["timeline"] if entry["kind"] == "action-undone"]
    assert [entry["detail"]["after"] for entry in undone] == [first["before"]]
    assert facts["incident"]["status"] == "resolved"
