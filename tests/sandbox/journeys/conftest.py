"""One sandbox for all journeys, with both stacks; every journey leaves it as it was."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.inbox import Inbox
from tests.sandbox.journeys.demo import Demo
from tests.sandbox.journeys.load import Load
from tests.sandbox.journeys.world import CALM, TABLE, World

SCALE = 30.0

# What throttles for another reason than too few units, or beyond what the manifest allows, is seen by the runbook's
# checks for ten minutes: last. In any other order the journeys wait for it to be forgotten.
ORDER = (
    "remedied",
    "told",
    "swept",
    "gates",
    "duplicates",
    "poison",
    "interrupted",
    "drift",
    "undone",
    "causes",
    "errors",
    "demo",
    "verify_backup",
)


@pytest.fixture(scope="session")
def sandbox_world() -> Iterator[World]:
    lifecycle.HOME.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="journeys-", dir=lifecycle.HOME) as folder:
        home = Path(folder)
        try:
            server, stacks = lifecycle.up(home, scale=SCALE, stacks=lifecycle.both_stacks(SCALE))
            with Load(server, TABLE) as load:
                load.write(CALM)
                yield World(server, stacks, load)
        finally:
            lifecycle.down(home)


@pytest.fixture
def world(sandbox_world: World) -> Iterator[World]:
    """As deployed, before and after."""
    sandbox_world.wait_until_untainted()
    sandbox_world.calm_down()
    yield sandbox_world
    sandbox_world.calm_down()


@pytest.fixture
def inbox(world: World) -> Iterator[Inbox]:
    """What people are told from now on."""
    with Inbox(world.server, world.outputs["AlertsTopicArn"]) as opened:
        yield opened


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    run = Demo.start()
    yield run
    run.stop()


@pytest.fixture(scope="session", autouse=True)
def _demo_runs_meanwhile(request: pytest.FixtureRequest) -> None:
    """The demo mostly waits: it is over when the other journeys are."""
    if any("demo" in getattr(item, "fixturenames", ()) for item in request.session.items):
        with contextlib.suppress(AssertionError):  # its own journey tells
            request.getfixturevalue("demo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys in their order, after all other tests: nothing runs beside the sandbox for longer than it must."""
    here = Path(__file__).parent
    journeys = [item for item in items if item.path.parent == here]
    journeys.sort(key=lambda item: ORDER.index(item.path.stem.removeprefix("test_")))
    items[:] = [item for item in items if item.path.parent != here] + journeys


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed journey tells what happened in the sandbox."""
    report = yield
    seen = getattr(item, "funcargs", {}).get("sandbox_world")
    if report.failed and seen is not None:
        try:
            story = seen.story()
        except Exception as error:  # noqa: BLE001 - a sandbox that is gone must not hide how the test failed
            story = f"the sandbox does not answer: {error}"
        report.sections += [("in the sandbox", story), ("emulator", seen.log())]
    return report
