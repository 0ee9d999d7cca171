"""Everything goes off at once: nothing is lost, nearly nothing is done, and people hear of it once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sandbox.server import ROOT

EVENTS, SHOPS, EARLY = 1000, 40, 2


def test_a_storm_is_held_and_told_once():
    """`selfright demo storm`, as a newcomer types it, with a smaller burst."""
    run = subprocess.run(  # noqa: S603
        [
            str(Path(sys.executable).with_name("selfright")),
            *("demo", "storm", "--json", "--events", str(EVENTS)),
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=400,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    )

    assert run.returncode == 0, run.stdout.decode() + run.stderr.decode()
    facts = json.loads(run.stdout)

    # Then every event is on record once: those of the burst, and what CloudWatch told of the alarms itself
    events = facts["events"]
    assert events["sent"] >= EVENTS + SHOPS
    assert (events["decided"], events["lost"], events["dead_letters"]) == (events["sent"], 0, 0)

    # ... there is one incident for each table, and only what was opened before the storm is looked at
    assert facts["incidents"] >= SHOPS
    assert facts["executions"] == events["decisions"]["opened"] < SHOPS
    assert facts["held_at"]["intake"] > 0
    assert facts["held"] >= SHOPS // 2

    # ... the two troubles that came alone were remedied, and nothing in the storm
    assert EARLY <= facts["actions"] <= facts["actions_cap"]
    assert all(facts["promises"].values())

    # ... and people were told of it once, in words that say what it means
    assert facts["told"] == 1
    assert facts["told_of_storm"] == {"e-mail": 1, "Slack": 1, "PagerDuty": 1}
    assert "of 40 resources in trouble" in facts["message"]
    assert "every incident of the workload is held" in facts["message"]
    assert facts["seconds"]["burst_to_drained"] < facts["seconds"]["total"]
