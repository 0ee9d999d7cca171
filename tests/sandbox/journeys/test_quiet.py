"""What flapped may be acted on again; by now the hour that it takes has passed, or nearly."""

from __future__ import annotations

from datetime import datetime

from sandbox.customers import Customers
from selfright.domain.gates.history import QUIET_FOR
from selfright.domain.incident import IncidentStatus
from tests.sandbox.journeys.flapping import FLAPPING, SCALE, SLOWLY
from tests.sandbox.journeys.street import Street


def test_after_an_hour_of_quiet_it_may_act_again(
    open_street: tuple[Street, Customers], quiet_since: datetime
):
    street, customers = open_street
    street.until(
        "an hour has passed",
        lambda: street.now > quiet_since + QUIET_FOR,
        QUIET_FOR.total_seconds() / SCALE + 5,
    )

    customers.come((FLAPPING,))
    case = street.closed(FLAPPING, 4, SLOWLY)

    assert case.incident.status is IncidentStatus.RESOLVED, street.story()
    assert len(street.changes(FLAPPING)) == 1
    assert street.write_units(FLAPPING) > 1
