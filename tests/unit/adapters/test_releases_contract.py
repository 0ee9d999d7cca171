"""Both ledgers of releases keep the same promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.domain.errors import BusyError, NotFoundError
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus
from selfright.ports import ReleaseLedger
from tests.fakes.releases import MemoryReleaseLedger
from tests.unit.usecases.release_world import NOW, request


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> ReleaseLedger:
    if request.param == "memory":
        return MemoryReleaseLedger()
    return DynamoDBReleaseLedger(request.getfixturevalue("aws"), request.getfixturevalue("table"))


def release(release_id: str = "shop-42", minutes: int = 0) -> Release:
    return Release(request=request(release_id=release_id), requested_at=NOW + timedelta(minutes=minutes))


def line(key: str, seconds: int = 0, text: str = "said") -> LogLine:
    return LogLine(key=key, at=NOW + timedelta(seconds=seconds), milestone=Milestone.SHIFTED, text=text)


def test_a_release_is_opened_once(ledger: ReleaseLedger):
    first = ledger.open(release(), line("requested"))
    second = ledger.open(release(minutes=5), line("another"))

    assert first == second == ledger.release("shop-42")
    assert [entry.key for entry in ledger.file("shop-42").log] == ["requested"]


def test_what_is_not_there_is_an_error(ledger: ReleaseLedger):
    with pytest.raises(NotFoundError):
        ledger.release("shop-42")
    with pytest.raises(NotFoundError):
        ledger.file("shop-42")


def test_the_next_state_is_written_with_its_lines(ledger: ReleaseLedger):
    opened = ledger.open(release(), line("requested"))

    saved = ledger.save(opened.but(status=ReleaseStatus.RUNNING), line("b", 20), line("a", 10))

    assert ledger.release("shop-42") == saved
    assert (saved.status, saved.seq) == (ReleaseStatus.RUNNING, 1)
    assert [entry.key for entry in ledger.file("shop-42").log] == ["requested", "a", "b"]


def test_who_read_an_older_state_writes_nothing(ledger: ReleaseLedger):
    opened = ledger.open(release(), line("requested"))
    ledger.save(opened.but(status=ReleaseStatus.RUNNING))

    with pytest.raises(BusyError):
        ledger.save(opened.but(status=ReleaseStatus.ROLLING_BACK), line("late"))

    assert ledger.release("shop-42").status is ReleaseStatus.RUNNING
    assert [entry.key for entry in ledger.file("shop-42").log] == ["requested"]


def test_a_line_that_is_written_again_takes_its_own_place(ledger: ReleaseLedger):
    ledger.open(release(), line("requested"))

    ledger.note("shop-42", line("told", 1, "being told"))
    ledger.note("shop-42", line("told", 1, "told"))

    assert [(entry.key, entry.text) for entry in ledger.file("shop-42").log][1:] == [("told", "told")]


def test_the_newest_releases_of_a_workload(ledger: ReleaseLedger):
    for number in range(3):
        ledger.open(release(f"shop-{number}", minutes=number), line("requested"))

    assert [one.id for one in ledger.releases("shop", "development", 2)] == ["shop-2", "shop-1"]
    assert ledger.releases("shop", "production", 2) == []


def test_what_people_put_right_is_kept_by_workload(ledger: ReleaseLedger):
    for key in ("1", "2", "3"):
        ledger.note_mending("shop", "development", line(key))
    ledger.note_mending("shop", "development", line("2", text="said again"))

    assert [one.key for one in ledger.mendings("shop", "development", 2)] == ["3", "2"]
    assert ledger.mendings("shop", "development", 3)[1].text == "said again"
    assert ledger.mendings("shop", "production", 3) == []


def test_the_releases_since_a_time(ledger: ReleaseLedger):
    for number in range(3):
        ledger.open(release(f"shop-{number}", minutes=number), line("requested"))

    assert [one.id for one in ledger.since("shop", "development", NOW + timedelta(minutes=1))] == [
        "shop-2",
        "shop-1",
    ]
    assert ledger.since("shop", "production", NOW) == []
