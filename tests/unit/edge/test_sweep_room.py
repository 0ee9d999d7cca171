"""The sweep's room: what it answers its schedule, and the heartbeat whose absence raises an alarm."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from selfright.domain.errors import SourceDownError
from tests.fakes import Down
from tests.unit.edge.conftest import Lines
from tests.unit.usecases.respond import handler
from tests.unit.usecases.world import WENT_OFF, World


@pytest.fixture
def world() -> World:
    """The alarm went off, and so long ago that its event should have come."""
    world = World()
    world.clock.advance(600)
    return world


def swept_by_schedule(world: World) -> dict[str, Any]:
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": WENT_OFF.isoformat()}
    answer: dict[str, Any] = handler("sweep", world)(event, SimpleNamespace(aws_request_id="request-1"))
    return answer


def test_the_room_reports_and_leaves_a_heartbeat(world: World, measured: Lines):
    answer = swept_by_schedule(world)

    assert answer["opened"] == list(world.workflows.started)
    (beat,) = [line for line in measured() if "SweepDone" in line]
    assert beat["SweepDone"] == [605.0]
    assert beat["service"] == "selfright"


def test_a_sweep_that_failed_leaves_none(world: World, measured: Lines):
    world.alarms = Down()

    with pytest.raises(SourceDownError):
        swept_by_schedule(world)

    assert not [line for line in measured() if "SweepDone" in line]
