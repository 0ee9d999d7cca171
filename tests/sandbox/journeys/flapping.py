"""A street of shops with two that go in circles: one flaps, the other is to loop. It stays open until all is over.

An hour of quiet has to pass for the flapping one: other journeys go on meanwhile.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.customers import Customers
from selfright.domain.incident import IncidentStatus
from tests.sandbox.journeys.street import Street, street

SCALE = 30.0
LOOPING, FLAPPING = "shop-01", "shop-02"
OUT_OF_SIGHT = timedelta(minutes=8)  # more than the evaluation range of an alarm over two minutes
SLOWLY = 120.0  # seconds of the wall: the capacity that was saved is used up, the alarm goes off, a verdict is found


@pytest.fixture(scope="session")
def open_street() -> Iterator[tuple[Street, Customers]]:
    lifecycle.HOME.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="loops-", dir=lifecycle.HOME) as folder,
        street(Path(folder), SCALE) as opened,
    ):
        yield opened


@pytest.fixture(scope="session")
def quiet_since(open_street: tuple[Street, Customers]) -> datetime:
    """When the flapping alarm changed last; its journey was over then."""
    street, customers = open_street
    for number in (1, 2):
        street.set_alarm(FLAPPING, "ALARM")
        first = street.closed(FLAPPING, number)
        assert first.incident.status is IncidentStatus.ESCALATED  # nothing is wrong that has a remedy
        street.set_alarm(FLAPPING, "OK")
    customers.come((FLAPPING,))
    street.closed(FLAPPING, 3)
    customers.come(())
    gone = street.now
    street.until("the alarm no longer sees what was measured", lambda: street.now > gone + OUT_OF_SIGHT)
    street.set_alarm(FLAPPING, "OK")
    return street.now
