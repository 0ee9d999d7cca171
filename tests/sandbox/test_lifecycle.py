from __future__ import annotations

import fcntl
import io
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.lifecycle import AlreadyRunningError, Stack
from sandbox.processes import group_members
from sandbox.server import SandboxError, Server

FIXTURE = Path(__file__).parent / "fixtures" / "template.yaml"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / ".selfright"
    lifecycle.down(tmp_path / ".selfright")


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def hang_a_worker(server: Server) -> None:
    """Leave a Lambda function busy for a minute, in a process of its own; its role is none, so IAM must not ask."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "import time\ndef handler(event, context):\n    time.sleep(60)\n")
    functions = server.client("lambda")
    functions.create_function(
        FunctionName="hangs",
        Runtime="python3.13",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": code.getvalue()},
        Timeout=60,
    )
    functions.invoke(FunctionName="hangs", InvocationType="Event", Payload=b"{}")
    assert eventually(lambda: len(group_members(server.pid)) > 1), "the worker never started"


def test_a_sandbox_comes_up_is_seen_and_goes_down_without_a_trace(home: Path):
    # Given a sandbox with a busy Lambda worker
    server, outputs = lifecycle.up(home, scale=20.0, auth=False, stacks=())
    hang_a_worker(server)
    assert outputs == {}
    assert (server.folder, server.scale) == (home / "sandbox", 20.0)
    assert lifecycle.status(home) == lifecycle.Sandbox("running", server, {})

    # When it is taken down
    before = lifecycle.down(home)

    # Then no process and no file is left
    assert before.state == "running"
    assert group_members(server.pid) == []
    assert list(home.iterdir()) == []
    assert lifecycle.status(home).state == "none"


def test_a_second_up_refuses_and_says_what_runs(home: Path):
    server, _ = lifecycle.up(home, stacks=())

    with pytest.raises(AlreadyRunningError) as refused:
        lifecycle.up(home, stacks=())

    assert server.endpoint in str(refused.value)
    assert str(server.pid) in str(refused.value)
    assert server.answers()


def test_an_up_during_another_one_refuses(home: Path):
    home.mkdir()
    other = os.open(home, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(AlreadyRunningError, match="another command"):
        lifecycle.up(home, stacks=())

    os.close(other)
    assert lifecycle.status(home).state == "none"


def test_workers_die_with_a_killed_emulator_and_the_next_up_cleans_up(home: Path):
    # Given a sandbox whose worker hangs in a handler
    server, _ = lifecycle.up(home, auth=False, stacks=())
    hang_a_worker(server)

    # When the emulator is killed without a chance to end its children
    os.kill(server.pid, signal.SIGKILL)

    # Then they end with it, the death is noticed, and the next sandbox starts clean
    assert eventually(lambda: group_members(server.pid) == [])
    assert lifecycle.status(home).state == "dead"
    said: list[str] = []
    after, _ = lifecycle.up(home, stacks=(), tell=lambda what, _: said.append(what))
    assert said[0] == "cleaned up after a sandbox that had died"
    assert after.pid != server.pid
    assert after.answers()


def test_going_down_where_nothing_runs_is_fine(home: Path):
    assert lifecycle.down(home).state == "none"


def test_a_failed_deployment_takes_the_sandbox_down_again(home: Path):
    wrong = Stack("greeter", FIXTURE, {"Greeting": "lower case"})

    with pytest.raises(SandboxError, match="Greeting"):
        lifecycle.up(home, stacks=(wrong,))

    assert lifecycle.status(home).state == "none"
    assert not (home / "sandbox").exists()


def test_up_deploys_and_status_knows_the_outputs(home: Path):
    said: list[str] = []
    greeter = Stack("greeter", FIXTURE, {"Greeting": "Hello"})

    server, outputs = lifecycle.up(home, stacks=(greeter,), tell=lambda what, _: said.append(what))

    assert set(outputs["greeter"]) == {"FunctionName", "QueueUrl"}
    assert lifecycle.status(home).stacks == outputs
    assert said[-1] == "greeter: deployed"
    # Built or not: builds are kept for the project, not for one sandbox.
    assert min(said[:-1]) in {"greeter: built", "greeter: build is up to date"}
    assert f"local AWS answers on {server.endpoint}" in said
