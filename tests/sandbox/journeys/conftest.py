"""One sandbox for all journeys, with both stacks; every journey leaves it as it was."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from sandbox.server import ROOT
from sandbox.traffic import Traffic
from selfright.adapters.manifest_files import load_workload
from selfright.domain.manifest import Workload
from tests.sandbox.journeys.demo import Demos
from tests.sandbox.journeys.flapping import open_street, quiet_since  # noqa: F401 - one street for two files
from tests.sandbox.journeys.load import Load
from tests.sandbox.journeys.serving import FUNCTION, USERS_RATE, alarms_on
from tests.sandbox.journeys.world import CALM, ENVIRONMENT, LIGHT, TABLE, WORKLOAD, World

SCALE = 30.0

# A release is judged against the hour before it: first, before users were failed for another reason.
# What throttles for another reason than too few units, or beyond what the manifest allows, is seen by the runbook's
# checks for ten minutes: last. In any other order the journeys wait for it to be forgotten.
ORDER = (
    "errors",
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
    "actions",
    "denied",
    "release",
    "release_stack",
    "back_up",
    "verify_backup",
    "recover",
    "permissions",
    "loops",
    "storm",
    "terminated",
    "quiet",
    "demo",
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
    if not sandbox_world.is_calm():
        sandbox_world.calm_down()
    yield sandbox_world
    sandbox_world.calm_down()


@pytest.fixture(autouse=True)
def _note_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a journey was granted, its putting back included: test_permissions.py."""
    yield
    if "sandbox_world" in request.fixturenames:
        seen: World = request.getfixturevalue("sandbox_world")
        seen.note_calls(request.function.__name__)


@pytest.fixture(scope="session")
def manifest() -> Workload:
    return load_workload(ROOT / "workloads" / WORKLOAD, ENVIRONMENT)


@pytest.fixture
def inbox(world: World) -> Iterator[Inbox]:
    """What people are told from now on."""
    with Inbox(world.server, world.outputs["AlertsTopicArn"]) as opened:
        yield opened


@pytest.fixture
def users(world: World) -> Iterator[Traffic]:
    """Users who are served: without any, no guard can tell that a remedy did no harm, and nothing is a cure."""
    world.load.write(LIGHT)
    with Traffic(world.server, FUNCTION, USERS_RATE) as users:
        world.until("users are served", lambda: users.counts().ok > 5)
        world.until("no alarm is on", lambda: not alarms_on(world))
        yield users


@pytest.fixture
def services(world: World, manifest: Workload) -> Iterator[Collector]:
    """Slack and PagerDuty, where the workload's secrets say that they are."""
    with Collector() as collector, collector.serving(world.server, manifest):
        yield collector


@pytest.fixture
def impatient_queue(sandbox_world: World) -> Iterator[str]:
    """The signal queue, giving a message again after one second instead of six minutes."""
    queue, sqs = sandbox_world.outputs["SignalsUrl"], sandbox_world.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    yield queue
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


@pytest.fixture(scope="session")
def demos() -> Iterator[Demos]:
    run = Demos()
    yield run
    run.stop()


@pytest.fixture(scope="session", autouse=True)
def _demos_run_meanwhile(request: pytest.FixtureRequest) -> None:
    """They are over when the other journeys are."""
    if any("demos" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("demos")


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
            report.sections += [("in the sandbox", seen.story()), ("emulator", seen.log())]
        except Exception as error:  # noqa: BLE001 - a sandbox that is gone must not hide how the test failed
            report.sections.append(("in the sandbox", f"it does not answer: {error}"))
    return report
