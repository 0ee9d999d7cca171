"""`selfright demo --json` and `selfright demo undo --json`, as a newcomer or a script runs them."""

from __future__ import annotations

import json

from sandbox.processes import group_members
from tests.sandbox.journeys.demo import Demos
from tests.sandbox.journeys.world import TABLE


def test_the_demo_proves_a_fix_and_leaves_nothing_behind(demos: Demos):
    code, printed, told, server = demos.played("demo")

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
    assert group_members(server.pid) == []
    assert not server.answers()
    assert not server.folder.parent.exists()


def test_a_wrong_suspect_is_released_and_the_second_remedy_works(demos: Demos):
    code, printed, told, _ = demos.played("demo", "undo")
    assert code == 0, told
    facts = json.loads(printed)
    first, second = facts["actions"]
    assert (first["action"], first["status"]) == ("lambda.roll_back_alias", "undone")
    assert (second["action"], second["status"]) == ("flags.open_circuit", "verified")
    sick, healthy = (proof["outcome"] for proof in facts["verified_on"])
    assert sick in {"sick", "worse"}
    assert healthy == "healthy"
    looks = [entry["detail"]["facts"] for entry in facts["timeline"] if entry["kind"] == "checks-run"]
    assert {frozenset(seen["failures"]["by_dependency"]) for seen in looks} == {frozenset({"bedrock"})}
    # The release that was suspected is live again, as it was when the incident began.
    assert facts["live_version"]["after"] == first["before"]["version"] != first["after"]["version"]
    undone = [entry for entry in facts["timeline"] if entry["kind"] == "action-undone"]
    assert [entry["detail"]["after"] for entry in undone] == [first["before"]]
    assert facts["incident"]["status"] == "resolved"
