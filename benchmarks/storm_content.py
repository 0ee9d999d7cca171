"""What a storm is made of: workloads of many tables with an alarm each, and the events of those alarms."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.scenes import ALARM_EVENT
from selfright.adapters.snapshots import write_snapshots
from selfright.domain.manifest import Environment

SPREAD, HELD = "spread", "held"
PER_WORKLOAD = 10  # problems
# A storm gate closes at two fifths of a workload's resources (Limits.unhealthy_share): here a fifth is in trouble.
RESOURCES = 5 * PER_WORKLOAD
ALARM_PREFIX = "storm-development-"
_MODEL: dict[str, Any] = json.loads(ALARM_EVENT.read_text())


def alarm_name(kind: str, number: int) -> str:
    return f"{ALARM_PREFIX}{kind}-{number:04d}"


def event(alarm: str, at: datetime) -> dict[str, Any]:
    """One state change of an alarm."""
    made = copy.deepcopy(_MODEL)
    made["resources"] = [f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm}"]
    made["detail"]["alarmName"] = alarm
    made["detail"]["state"]["timestamp"] = f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
    return made


def write_content(folder: Path, problems: int) -> None:
    """Workloads for so many spread problems, and one for half as many held ones, as a layer has them."""
    (folder / "runbooks").mkdir(parents=True)
    for number in range(problems // PER_WORKLOAD):
        first = number * PER_WORKLOAD
        alarms = [alarm_name(SPREAD, first + n) for n in range(PER_WORKLOAD)]
        _write_workload(folder, f"{SPREAD}-{number}", RESOURCES, alarms)
    alarms = [alarm_name(HELD, n) for n in range(problems // 2)]
    _write_workload(folder, HELD, len(alarms), alarms)
    write_snapshots(folder)


def _write_workload(folder: Path, name: str, resources: int, alarms: list[str]) -> None:
    document = {
        "workload": name,
        "description": "Many tables.",
        "owner": "nobody",
        "resources": {
            f"table-{n}": {"type": "dynamodb-table", "name": f"{name}-{n}"} for n in range(resources)
        },
        "alarms": {
            f"alarm-{n}": {
                "name": alarm,
                "resource": f"table-{n}",
                "symptom": "throttling",
                "severity": "high",
            }
            for n, alarm in enumerate(alarms)
        },
    }
    place = folder / "workloads" / name
    place.mkdir(parents=True)
    # JSON is YAML.
    (place / "base.yaml").write_text(json.dumps(document))
    for environment in Environment:
        (place / f"{environment}.yaml").write_text("{}")
