"""Every golden event in events/ becomes what its folder's expected.yaml says, by the shipped manifest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from selfright.adapters.manifest_files import load_workloads
from selfright.domain.errors import BadInputError
from selfright.domain.signal import DecisionRecord, Signal
from selfright.edge.signals import BY_DETAIL_TYPE, signal
from selfright.usecases.receive_signal import receive_signal
from tests.fakes import MemoryLeases, MemoryStore, RecordingWorkflows, StillClock
from tests.unit.template import ROOT, resources

EVENTS = ROOT / "events"
MACHINE_INPUTS = {"back-up", "deploy", "recover", "undo", "respond", "verify-backup"}
SENDERS = sorted(p.name for p in EVENTS.iterdir() if p.is_dir() and p.name not in MACHINE_INPUTS)
SAMPLES = [f"{sender}/{path.stem}" for sender in SENDERS for path in sorted((EVENTS / sender).glob("*.json"))]
WORKLOADS = load_workloads(ROOT / "workloads", "development")
OF_THE_SIGNAL = {"kind", "name", "region", "state", "severity", "contributor", "suppressed_by"}


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def expected(sender: str) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((EVENTS / sender / "expected.yaml").read_text())
    return loaded


WANTED = {f"{sender}/{name}": wanted for sender in SENDERS for name, wanted in expected(sender).items()}
TAKEN = [name for name in SAMPLES if "refused" not in WANTED.get(name, {})]
REFUSED = [name for name in SAMPLES if "refused" in WANTED.get(name, {})]


class Intake:
    def __init__(self) -> None:
        self.store, self.workflows = MemoryStore(MemoryLeases()), RecordingWorkflows()

    def receive(self, one: Signal) -> DecisionRecord:
        return receive_signal(
            one,
            workloads=WORKLOADS,
            store=self.store,
            history=self.store,
            workflows=self.workflows,
            clock=StillClock(datetime(2026, 11, 23, 12, tzinfo=UTC)),
        )


def test_every_sample_has_its_expectation_and_every_expectation_its_sample():
    assert set(SAMPLES) == set(WANTED)


@pytest.mark.parametrize("name", TAKEN)
def test_a_sample_becomes_the_signal_that_is_written_beside_it(name: str):
    wanted = WANTED[name]

    one = signal(sample(name))

    told = {field: getattr(one, field) for field in OF_THE_SIGNAL & wanted.keys()}
    assert told == {field: wanted[field] for field in told}
    if same_as := wanted.get("same_as"):
        assert one.id == signal(sample(same_as)).id


@pytest.mark.parametrize("name", TAKEN)
def test_a_sample_is_decided_as_it_is_written_beside_it(name: str):
    wanted, intake = WANTED[name], Intake()

    record = intake.receive(signal(sample(name)))

    assert record.decision == wanted["decision"]
    assert record.reason == wanted.get("reason", record.reason)
    if wanted["decision"] == "opened":
        incident = intake.store.case(str(record.incident_id)).incident
        assert intake.workflows.started == [incident.id]
        assert incident.resource == wanted.get("resource", incident.resource)
        assert incident.symptom == wanted.get("symptom", incident.symptom)
    else:
        assert intake.workflows.started == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_sample_is_refused_for_the_field_that_is_written_beside_it(name: str):
    with pytest.raises(BadInputError) as caught:
        signal(sample(name))

    assert caught.value.field == WANTED[name]["refused"]
    assert caught.value.rule


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_reads_the_same_as_the_text_of_a_message(name: str):
    def answer(event: Any) -> str:
        try:
            return signal(event).model_dump_json()
        except BadInputError as error:
            return str(error)

    assert answer(json.dumps(sample(name))) == answer(sample(name))


def test_one_alarm_in_every_envelope_is_decided_once():
    intake = Intake()
    told = [
        n
        for n in TAKEN
        if n == "cloudwatch/metric-alarm" or WANTED[n].get("same_as") == "cloudwatch/metric-alarm"
    ]

    records = [intake.receive(signal(sample(name))) for name in told]

    assert len(told) == 8
    assert {r.incident_id for r in records} == {records[0].incident_id}
    assert intake.store.case(str(records[0].incident_id)).incident.signals == 1


def test_the_rules_send_what_intake_reads_and_intake_reads_nothing_that_no_rule_sends():
    patterns = [r["EventPattern"] for r in resources("AWS::Events::Rule").values() if "EventPattern" in r]

    assert {kind for pattern in patterns for kind in pattern["detail-type"]} == set(BY_DETAIL_TYPE)


def test_every_sender_with_a_file_has_samples():
    files = {path.stem for path in (ROOT / "layers/core/selfright/edge").glob("*_event.py")}
    folders = {
        "alarm_event": "cloudwatch",
        "backup_event": "backup",
        "canary_event": "canary",
        "cost_anomaly_event": "cost-anomaly",
        "deployment_event": "codedeploy",
        "execution_event": "stepfunctions",
        "health_event": "health",
        "stack_event": "cloudformation",
    }

    assert files == set(folders)
    assert set(folders.values()) <= set(SENDERS)
