"""Users get errors: a bad release is rolled back. What `demo undo` shows of a failing dependency is in test_demo.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import faults
from sandbox.traffic import Traffic
from selfright.domain.incident import CaseFile, IncidentStatus
from selfright.domain.judgement import Outcome
from tests.sandbox.journeys.serving import FUNCTION, USERS_RATE, alarms_on, live_version
from tests.sandbox.journeys.world import ENVIRONMENT, World

PROVEN = 70  # analyses that a version has served well; the runbook wants 59
# Seconds of the wall: ten minutes until the alarm, a verdict after seven to twelve.
RESOLVED_WITHIN = 120.0


@pytest.fixture
def users(world: World) -> Iterator[Traffic]:
    """Users that are served well, by alarms that are quiet; and afterwards all as it was."""
    world.load.write(0)
    with Traffic(world.server, FUNCTION, USERS_RATE) as users:
        world.until("the version is proven", lambda: users.counts().ok > PROVEN)
        world.until("no alarm is on", lambda: not alarms_on(world))
        yield users
        for fault in faults.active(world.server, ENVIRONMENT):
            faults.off(fault, world.server, ENVIRONMENT)


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
