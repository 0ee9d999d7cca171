"""Whatever call a room dies at while it remedies a high error rate, nothing is done twice or left half done."""

from __future__ import annotations

import pytest

from selfright.domain.errors import SourceDownError
from selfright.domain.incident import AttemptStatus, IncidentStatus
from tests.unit.usecases.failing_shop import FUNCTION, FailingShop, Shares
from tests.unit.usecases.respond import CrashedError, Respond
from tests.unit.usecases.test_crashes import assert_told


def payments_fail(shop: FailingShop) -> Shares:
    return 0.0, (0.0 if shop.circuit_open else 0.5)


def wrong_suspect() -> FailingShop:
    """The longest way: roll back, undo, open the circuit."""
    return FailingShop(payments_fail, released=True)


def calls() -> list[str]:
    shop = wrong_suspect()
    Respond(shop).run(shop.goes_off())
    return shop.fuse.calls


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_crash_at_any_call_changes_nothing_about_the_outcome(before: bool, subtests: pytest.Subtests):
    for number, call in enumerate(calls()):
        shop = wrong_suspect()
        shop.fuse.blow(number, before=before, error=CrashedError("the function died"))
        incident = shop.goes_off()
        respond = Respond(shop)

        respond.run(incident)

        with subtests.test(f"call {number}: {call}"):
            case = shop.case(incident)
            assert case.incident.status is IncidentStatus.RESOLVED
            assert [a.status for a in case.attempts] == [AttemptStatus.UNDONE, AttemptStatus.VERIFIED]
            assert shop.lambda_.changes == [("version", "1"), ("version", "2")]
            assert shop.appconfig.changes == [("pay_later", True)]
            assert shop.memory_leases.holder(FUNCTION, shop.clock.now()) is None
            assert_told(respond, call)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_port_that_fails_once_leaves_nothing_half_done(before: bool, subtests: pytest.Subtests):
    for number, call in enumerate(calls()):
        shop = wrong_suspect()
        shop.fuse.blow(number, before=before, error=SourceDownError("down once"))
        incident = shop.goes_off()
        respond = Respond(shop)

        respond.run(incident)

        with subtests.test(f"call {number}: {call}"):
            status = shop.case(incident).incident.status
            assert shop.live == "2"  # whatever was rolled back did not help, and is back
            assert shop.circuit_open == (status is IncidentStatus.RESOLVED)
            assert len(set(shop.lambda_.changes)) == len(shop.lambda_.changes)
            assert shop.memory_leases.holder(FUNCTION, shop.clock.now()) is None
            assert_told(respond, call)
