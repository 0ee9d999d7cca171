"""A recovery that is interrupted at any call: it goes on or fails openly, and is never called recovered by mistake."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from selfright.domain.errors import SourceDownError
from selfright.domain.recovery.record import Status, id_of
from selfright.domain.recovery.steps import Go
from tests.fakes import Fuse
from tests.unit.backup.world import orders
from tests.unit.recovery.world import APPROVED, EXECUTION, FUNCTION, TABLE, World, asked

MOST_ALIKE = 2
SCENARIOS: dict[str, dict[str, Any]] = {
    "new": {},
    "in-place": {"mode": "in-place", "approval": APPROVED},
    "object": {"scenario": "object", "resource": "papers", "prefix": "in/"},
    "code": {
        "scenario": "function-code",
        "resource": "checkout",
        "approval": APPROVED,
        "version": "1",
        "point": None,
    },
}


def lossy(fuse: Fuse) -> World:
    """Orders, papers and code were lost."""
    world = World(fuse)
    world.clock.advance(-3600)
    world.objects.put("in/a", "good")
    world.clock.advance(3599)
    world.objects.put("in/a", "", marker=True)
    world.lose_orders()
    bad = world.lambdas.publish(FUNCTION, None, "bad")
    world.lambdas.route(FUNCTION, "live", bad, {}, world.lambdas.alias(FUNCTION, "live").revision)
    return world


def request(name: str) -> Any:
    given = dict(SCENARIOS[name])
    if given.get("point", 1) is None:
        known = asked().model_dump() | given
        return type(asked()).model_validate(known)
    return asked(**given)


def calls(name: str) -> list[str]:
    fuse = Fuse()
    world = lossy(fuse)
    assert world.play(request(name)).status is Status.RECOVERED
    return fuse.calls


def places(name: str) -> list[tuple[int, str]]:
    """Where to interrupt: the first two calls of each kind, as most of the others only look again."""
    found, seen = [], Counter[str]()
    for number, call in enumerate(calls(name)):
        seen[call] += 1
        if seen[call] <= MOST_ALIKE:
            found.append((number, call))
    return found


CASES = [
    pytest.param(name, number, before, id=f"{name}-{number}-{'before' if before else 'after'}-{call}")
    for name in SCENARIOS
    for number, call in places(name)
    for before in (True, False)
]


def is_back(world: World, name: str) -> bool:
    recovery = world.recoveries.find(id_of(EXECUTION))
    if name == "new":
        copy = world.tables.tables.get((recovery.copy_name if recovery else None) or "")
        return copy is not None and len(copy.items) == len(orders(6))
    if name == "in-place":
        return world.now("o-000") == dict(orders(6)[0]) and world.now("o-001") == dict(orders(6)[1])
    if name == "object":
        return world.objects.history["in/a"][0].etag == "good"
    return world.lambdas.versions_live() == {FUNCTION: "1"}


@pytest.mark.parametrize(("name", "number", "before"), CASES)
def test_what_may_be_repeated_is_repeated_and_comes_out_the_same(name: str, number: int, before: bool):
    fuse = Fuse()
    world = lossy(fuse)
    fuse.blow(number, before=before, error=SourceDownError("it was down once"))

    found = world.play(request(name))

    assert (found.status, found.why, world.end) == (Status.RECOVERED, (), Go.WELL)
    assert is_back(world, name)
    assert len(world.objects.history["in/a"]) <= 3  # copied back once
    assert len(world.tables.writes) in {0, 2}


@pytest.mark.parametrize(("name", "number", "before"), CASES)
def test_what_fails_for_good_is_never_called_recovered_and_loses_nothing(
    name: str, number: int, before: bool
):
    fuse = Fuse()
    world = lossy(fuse)
    fuse.blow(number, before=before, error=RuntimeError("it died for good"))
    try:
        found: Any = world.play(request(name))
    except AssertionError:  # not even begun
        found = world.recoveries.find(id_of(EXECUTION))

    if found and found.status is Status.RECOVERED:
        assert is_back(world, name)
    elif found:
        assert world.end is Go.BADLY
    # The live table is there with all that nobody asked to undo, each item as it was lost or as it was before
    assert TABLE in world.tables.tables
    assert world.now("o-009") is not None
    assert {i["pk"]["S"] for i in world.tables.tables[TABLE].items} >= {f"o-00{n}" for n in range(1, 6)}
    assert set(world.lambdas.functions[FUNCTION].builds) == {"1", "2"}
