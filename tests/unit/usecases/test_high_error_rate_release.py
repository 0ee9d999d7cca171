"""The runbook high-error-rate where the ledger knows the release that made the live version live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.errors import SourceDownError
from selfright.domain.incident import AttemptStatus, CaseFile, EntryKind, IncidentStatus
from selfright.domain.judgement import Outcome
from selfright.domain.manifest import load
from selfright.domain.release import (
    FunctionRelease,
    LogLine,
    Milestone,
    Release,
    ReleaseStatus,
    Rung,
    StopReason,
)
from selfright.domain.release.steps import Cause
from selfright.domain.serving import AliasState
from tests.fakes import Down
from tests.fakes.releases import MemoryReleaseLedger, RecordingRollBacks
from tests.unit.usecases.failing_shop import BROKEN, FUNCTION, FailingShop, Shares, manifest
from tests.unit.usecases.release_world import request
from tests.unit.usecases.respond import Respond
from tests.unit.usecases.world import WENT_OFF

RELEASE = "shop-42"


class RollBacksAtOnce(RecordingRollBacks):
    """`roll_back` has gone by when the next state is entered."""

    def __init__(self, shop: FailingShop) -> None:
        super().__init__()
        self._shop = shop

    def start(self, release_id: str, reason: str, actor: str, cause: Cause) -> None:
        super().start(release_id, reason, actor, cause)
        release = self._shop.ledger.release(release_id)
        if release.status is ReleaseStatus.COMPLETED:
            self._shop.lambda_.now = AliasState(version="1", revision="back")
            gone = release.but(
                status=ReleaseStatus.ROLLED_BACK, restored_at=self._shop.clock.now(), stop=cause
            )
            self._shop.ledger.save(gone)


def known(
    failing: Any, *, minutes_over: float = 60, status: ReleaseStatus = ReleaseStatus.COMPLETED
) -> FailingShop:
    """Version 2 went live ten minutes before the alarm, by a release that the ledger knows."""
    shop = FailingShop(failing, released=True)
    sections = {
        **manifest(),
        "deployment": {"functions": ["checkout"], "regret_seconds": 60},
    }
    shop.workload = load(sections, {}, "development")
    shop.workloads = {"shop": shop.workload}
    shop.roll_backs = RollBacksAtOnce(shop)
    began = WENT_OFF - BROKEN
    one = FunctionRelease(
        key="checkout",
        function=FUNCTION,
        alias="live",
        before=AliasState(version="1", revision="r"),
        candidate="2",
    )
    release = Release(
        request=request(release_id=RELEASE),
        requested_at=began - timedelta(minutes=10),
        status=status,
        rungs=(Rung(percent=100, seconds=300),),
        functions=(one,),
        shifts=(began,),
        closed_at=WENT_OFF - timedelta(seconds=minutes_over),
    )
    shop.ledger.open(release, LogLine(key="requested", at=began, milestone=Milestone.REQUESTED, text="asked"))
    return shop


def crashes_in_version_2(shop: FailingShop) -> Shares:
    return (0.3 if shop.live == "2" else 0.0), 0.0


def payments_fail(shop: FailingShop) -> Shares:
    return 0.0, (0.0 if shop.circuit_open else 0.5)


def played(shop: FailingShop) -> CaseFile:
    incident = shop.goes_off()
    Respond(shop).run(incident)
    return shop.case(incident)


def test_the_whole_release_goes_back_and_the_metric_proves_it():
    shop = known(crashes_in_version_2)

    case = played(shop)

    assert (case.incident.status, case.incident.outcome) == (
        IncidentStatus.RESOLVED,
        f"release {RELEASE} goes back: checkout 2 → 1",
    )
    (attempt,) = case.attempts
    assert attempt.remedy == "roll-back-release"
    assert attempt.findings["release-known"] is True
    assert attempt.facts["release"]["release_id"] == RELEASE
    assert attempt.facts["release"]["live_since"] == (WENT_OFF - BROKEN).isoformat()
    assert attempt.facts["release"]["percent_failed"] == {"2": 30.0, "1": 0.0}
    assert attempt.judgement is not None
    assert attempt.judgement.outcome is Outcome.HEALTHY
    assert shop.ledger.release(RELEASE).stop is StopReason.INCIDENT
    assert shop.lambda_.changes == []  # respond itself writes no alias


def test_a_release_that_was_not_to_blame_stays_back_and_the_next_remedy_works():
    """A release goes live by passing its gates, never by an undo."""
    shop = known(payments_fail)

    case = played(shop)

    first, second = case.attempts
    assert (first.remedy, first.status) == ("roll-back-release", AttemptStatus.APPLIED)
    assert first.judgement is not None
    assert first.judgement.outcome is Outcome.SICK
    assert (second.remedy, second.status) == ("open-circuit", AttemptStatus.VERIFIED)
    assert (shop.live, shop.circuit_open) == ("1", True)
    stays = [e.text for e in case.timeline if e.kind is EntryKind.ACTION_UNDONE]
    assert stays == [
        f"release {RELEASE} goes back: checkout 2 → 1: this stays, it is not taken back by a machine"
    ]


@pytest.mark.parametrize("status", [ReleaseStatus.RUNNING, ReleaseStatus.ROLLING_BACK])
def test_a_release_that_is_not_over_is_left_to_itself(status: ReleaseStatus):
    shop = known(crashes_in_version_2, status=status)

    case = played(shop)

    assert case.incident.status is IncidentStatus.HELD
    assert RELEASE in str(case.incident.outcome)
    assert shop.roll_backs.started == {}
    assert (shop.live, case.attempts) == ("2", ())


def test_so_is_one_that_its_own_alarms_take_back():
    shop = known(crashes_in_version_2, minutes_over=30)

    case = played(shop)

    assert case.incident.status is IncidentStatus.HELD
    assert shop.roll_backs.started == {}


def test_a_ledger_that_does_not_answer_changes_nothing():
    shop = known(crashes_in_version_2)
    shop.releases = Down(SourceDownError("no answer"))

    case = played(shop)

    assert case.incident.status is IncidentStatus.ESCALATED
    assert shop.roll_backs.started == {}
    assert shop.live == "2"


def test_a_version_that_no_release_made_live_is_rolled_back_by_its_alias():
    shop = known(crashes_in_version_2)
    shop.ledger = MemoryReleaseLedger()
    shop.releases = shop.ledger

    case = played(shop)

    assert case.attempts[0].remedy == "roll-back-alias"
    assert (case.incident.status, shop.live) == (IncidentStatus.RESOLVED, "1")
