"""`selfright demo --json`, as a newcomer or a script runs it."""

from __future__ import annotations

import json

from sandbox.processes import group_members
from tests.sandbox.journeys.demo import Demo
from tests.sandbox.journeys.world import TABLE


def test_the_demo_proves_a_fix_and_leaves_nothing_behind(demo: Demo):
    code, printed, told = demo.finish()

    # Then it ends well, and says what happened with all the numbers
    assert code == 0, told
    facts = json.loads(printed)
    assert facts["incident"]["status"] == "resolved"
    assert facts["runbook"] == "database-performance"
    (action,) = facts["actions"]
    assert (action["action"], action["target"]) == ("dynamodb.raise_capacity", TABLE)
    assert action["before"]["write_units"] == 1
    assert action["after"]["write_units"] >= 5
    (proof,) = facts["verified_on"]
    assert (proof["metric"], proof["outcome"]) == ("throttled writes, percent", "healthy")
    assert max(proof["before"]) > proof["threshold"] >= max(proof["after"][-3:])
    assert facts["alarm"] == "OK"

    # ... in order and in time
    seconds = facts["seconds"]
    steps = [seconds[name] for name in ("alarm_to_decision", "alarm_to_first_action", "alarm_to_verified")]
    assert 0 < steps[0] < steps[1] < steps[2] < seconds["total"] < 180
    assert facts["api_calls"] > 10
    assert facts["traffic"]["broken"]["failed"] > 0
    assert facts["traffic"]["fixed"]["failed"] <= 0.05 * facts["traffic"]["fixed"]["analyses"]

    # ... and no process, no port and no file is left
    assert group_members(demo.server.pid) == []
    assert not demo.server.answers()
    assert not demo.server.folder.parent.exists()
