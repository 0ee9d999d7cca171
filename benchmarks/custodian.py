"""intake.vs_c7n: one alarm event through our intake, beside Cloud Custodian's event dispatch.

Both sides are warm processes on the same interpreter, with the same stub as their AWS, and are given the same recorded
alarm event. Both find out which table it means and start one execution of a state machine for it.

- Ours also validates the event, makes repeated deliveries one incident, and writes decision, incident and timeline in
  one transaction: Query, TransactWriteItems, StartExecution.
- Custodian lists the tables, reads this one and its tags, filters on its capacity, and keeps no record of the event:
  ListTables, DescribeTable, GetResources (of the tagging API), StartExecution. It knows no alarm events: its
  CloudTrail mode is told where the table's name stands, and the event gets the two fields that this mode reads.
"""

from __future__ import annotations

import copy
import json
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.artifact import Artifact, artifacts
from benchmarks.intake import warm_events
from benchmarks.rounds import BenchmarkError, Child, cpu_seconds, interleaved
from benchmarks.rows import Row, judged
from benchmarks.scenes import alarm_event
from benchmarks.stub_aws import StubAws, stub_aws
from sandbox.server import ROOT

NAME = "intake.vs_c7n"
PYTHON = ROOT / ".envs" / "c7n" / "bin" / "python"
PROGRAM = Path(__file__).parent / "custodian_events.py"
ROUNDS, BUDGET = 5, 1.0
CALLS = ["ListTables", "DescribeTable", "GetResources", "StartExecution"]
POLICY: dict[str, Any] = {
    "name": "throttled-table",
    "resource": "aws.dynamodb-table",
    "mode": {
        "type": "cloudtrail",
        "events": [
            {
                "source": "aws.cloudwatch",
                "event": "ALARM",
                "ids": "detail.configuration.metrics[0].metricStat.metric.dimensions.TableName",
            }
        ],
    },
    "filters": [
        {"type": "value", "key": "ProvisionedThroughput.WriteCapacityUnits", "op": "lt", "value": 100}
    ],
    "actions": [{"type": "invoke-sfn", "state-machine": "respond"}],
}


def rows(only: str) -> Iterator[Row]:
    if not NAME.startswith(only):
        return
    if not PYTHON.exists():
        raise BenchmarkError("Cloud Custodian is not installed; run `make bench`")
    ours, theirs = "ours", "Cloud Custodian's event dispatch"
    with artifacts() as (built, _), stub_aws() as stub, tempfile.TemporaryDirectory() as folder:
        measures = {
            ours: lambda: statistics.median(warm_events(built, stub)["ours"]),
            theirs: lambda: _dispatch(built, stub, Path(folder)),
        }
        figures = interleaved(measures, ROUNDS)
    took = figures.median(theirs) * 1e6
    note = f"±{figures.spread(ours, theirs):.3f}; it takes {took:.0f} µs; both start one execution"
    yield judged(
        NAME, figures.median(ours) * 1e6, "CPU µs", theirs, figures.ratio(ours, theirs), BUDGET, note
    )


def _dispatch(built: Artifact, stub: StubAws, folder: Path) -> float:
    """CPU seconds that one event takes Custodian. Raises BenchmarkError where it did not do what is compared."""
    event = alarm_event(datetime.now(UTC) - timedelta(minutes=1))
    event["detail"] |= {"eventName": "ALARM", "eventSource": "aws.cloudwatch"}
    (metric,) = event["detail"]["configuration"]["metrics"]
    table = metric["metricStat"]["metric"]["dimensions"]["TableName"]
    arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{table}"
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5, "NumberOfDecreasesToday": 0}
    stub.answers = {
        "ListTables": {"TableNames": [table]},
        "DescribeTable": {"Table": {"TableName": table, "TableArn": arn, "ProvisionedThroughput": units}},
        "GetResources": {"ResourceTagMappingList": []},
        "StartExecution": {"executionArn": "arn:aws:states:execution", "startDate": 1},
    }
    stub.asked.clear()
    options = {"account_id": "123456789012", "region": "eu-central-1"}
    policy = copy.deepcopy(POLICY)
    policy["mode"]["execution-options"] = {"output_dir": str(folder)}
    result = folder / "result.json"
    spec = {
        "policy": {"execution-options": options, "policies": [policy]},
        "event": event,
        "result": str(result),
    }
    environment = {name: value for name, value in built.environment.items() if name.startswith("AWS_")}
    del environment["AWS_DATA_PATH"]  # of our layer
    command = (str(PYTHON), "-I", str(PROGRAM), json.dumps(spec))
    cpu_seconds(Child(command, {**environment, **stub.environment, "C7N_DEBUG_EVENT": "no"}, cwd=folder))
    if stub.asked[: len(CALLS)] != CALLS or len(stub.asked) % len(CALLS):
        raise BenchmarkError(f"Custodian asked for {stub.asked[:10]}")
    return float(json.loads(result.read_text()))
