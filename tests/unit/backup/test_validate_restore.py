"""AWS Backup's restore testing asks whether what it restored is good; it is told, or nothing is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from selfright.backup_ports import Item
from selfright.domain.backup.restore_job import RestoreJob, Validated, Validation
from selfright.domain.errors import SourceDownError
from selfright.edge.restore_tested import RestoreTested
from selfright.edge.room import parsed
from selfright.usecases import validate_restore as room
from selfright.usecases.validate_restore import validate_restore
from tests.unit.backup.builders import settings
from tests.unit.backup.world import TABLE, World, orders
from tests.unit.template import ROOT, resources

RESTORED = "awsbackup-restore-test-0f8f8a4e"
JOB = RestoreJob(
    id="job-1", status="COMPLETED", source=TABLE, created=RESTORED, of_a_test=True, answered=False
)


class Jobs:
    def __init__(self, job: RestoreJob = JOB) -> None:
        self.job = job
        self.answers: list[tuple[str, str, str]] = []

    def find(self, job: str) -> RestoreJob:
        assert job == self.job.id
        return self.job

    def answer(self, job: str, status: Validation, message: str) -> None:
        self.answers.append((job, status, message))


class Items:
    def __init__(self, world: World) -> None:
        self.tables = world.backups.tables

    def some(self, table: str, limit: int) -> Iterator[Item]:
        yield from self.tables[table].items[:limit]


def asked(world: World, jobs: Jobs) -> Validated:
    return validate_restore(
        "job-1", workloads=world.workloads, backups=world.backups, items=Items(world), jobs=jobs
    )


def restored(items: list[Item], **changed: Any) -> World:
    world = World()
    world.backups.add(RESTORED, settings(**{"keys": ("pk S HASH",)} | changed), items)
    return world


def test_what_makes_sense_is_successful():
    jobs = Jobs()
    asked(restored(orders(3)), jobs)
    assert jobs.answers == [
        ("job-1", "SUCCESSFUL", "3 items looked at, all 2 invariants hold of them"),
    ]


@pytest.mark.parametrize(
    ("items", "changed", "told"),
    [
        ([], {}, "there are orders: 0 items, at least 1 wanted"),
        ([{"pk": {"S": "o-1"}}], {}, "every order has a state: broken by 1 items, such as pk=o-1"),
        (orders(3), {"keys": ("id S HASH",)}, "the primary key is id S HASH, not pk S HASH"),
    ],
)
def test_what_does_not_has_failed_and_is_named(items: list[Item], changed: dict[str, Any], told: str):
    jobs = Jobs()
    asked(restored(items, **changed), jobs)
    assert jobs.answers == [("job-1", "FAILED", told)]


@pytest.mark.parametrize(
    "changed",
    [
        {"of_a_test": False},  # somebody needs his table back
        {"answered": True},
        {"status": "RUNNING"},
        {"source": "somebody-elses"},
        {"source": None},  # a volume
        {"created": TABLE},  # a live table is not read
    ],
)
def test_what_is_not_ours_to_judge_is_not_answered(changed: dict[str, Any]):
    jobs = Jobs(JOB.model_copy(update=changed))
    assert asked(restored(orders(3)), jobs).status is None
    assert jobs.answers == []


def test_without_an_invariant_nobody_knows_and_nothing_is_answered():
    world, jobs = restored(orders(3)), Jobs()
    backup = world.workloads["shop"].backup
    table = backup.tables["orders"].model_copy(update={"invariants": ()})
    world.workloads["shop"] = world.workloads["shop"].model_copy(
        update={"backup": backup.model_copy(update={"tables": {"orders": table}})}
    )
    assert asked(world, jobs).message == "the manifest has no invariant for this table"
    assert jobs.answers == []


def test_what_cannot_be_read_is_not_answered(monkeypatch: pytest.MonkeyPatch):
    world, jobs = restored(orders(3)), Jobs()

    def down(_: str) -> tuple[str, ...]:
        raise SourceDownError("DynamoDB is down")

    monkeypatch.setattr(world.backups, "keys", down)
    with pytest.raises(SourceDownError):
        asked(world, jobs)
    assert jobs.answers == []


def test_a_large_table_is_looked_at_in_part(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "LOOKED_AT", 5)
    jobs = Jobs()
    asked(restored(orders(40)), jobs)
    assert jobs.answers[0][2].startswith("5 items looked at")


# -- the edge


def test_of_the_event_only_the_job_is_believed():
    sample = json.loads((ROOT / "events/backup/restore-tested.json").read_text())
    assert parsed(RestoreTested, sample).detail.job == "7C2C3B9A-1B1D-4E55-9C3F-0D2D3F7F6A11"
    pattern = resources("AWS::Serverless::Function")["ValidateRestore"]["Events"]["Restored"]["Properties"][
        "Pattern"
    ]
    assert sample["source"] in pattern["source"]
    assert sample["detail-type"] in pattern["detail-type"]
    assert all(sample["detail"][name] in values for name, values in pattern["detail"].items())
