from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import server as server_module
from sandbox.processes import fingerprint, group_members
from sandbox.server import Server

Spawn = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a shell script as a process group of its own; it says one line when it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    def start(script: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        assert process.stdout
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def a_server(folder: Path, pid: int, started: str | None = None) -> Server:
    folder.mkdir(exist_ok=True)
    began = started or fingerprint(pid) or "gone"
    return Server(pid=pid, port=4566, folder=folder, origin=1000.0, scale=12.0, started=began)


def test_what_is_remembered_is_found_again(tmp_path: Path):
    server = a_server(tmp_path / "sandbox", pid=4711, started="then")
    server.remember()

    assert Server.found_in(tmp_path / "sandbox") == server


@pytest.mark.parametrize("state", ["", "{", "[]", "{}", '{"pid": 1, "surprise": true}'])
def test_a_damaged_state_file_is_no_server(tmp_path: Path, state: str):
    (tmp_path / "state.json").write_text(state)
    assert Server.found_in(tmp_path) is None


def test_a_folder_without_a_state_file_holds_no_server(tmp_path: Path):
    assert Server.found_in(tmp_path) is None


def test_stopping_ends_the_whole_process_group_and_deletes_the_folder(spawn: Spawn, tmp_path: Path):
    leader = spawn("sleep 60 & echo ready; wait")
    server = a_server(tmp_path / "sandbox", leader.pid)
    assert len(group_members(leader.pid)) == 2

    server.stop()

    assert group_members(leader.pid) == []
    assert not server.folder.exists()


def test_a_process_that_ignores_the_polite_signal_is_killed(
    spawn: Spawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server_module, "STOP_GRACE", 0.1)
    stubborn = spawn("trap '' TERM; echo ready; while :; do sleep 60; done")
    server = a_server(tmp_path / "sandbox", stubborn.pid)

    server.stop()

    assert not server.alive()
    assert group_members(stubborn.pid) == []


def test_workers_that_outlived_their_leader_are_killed(spawn: Spawn, tmp_path: Path):
    leader = spawn("sleep 60 & echo ready; wait")
    server = a_server(tmp_path / "sandbox", leader.pid)
    leader.kill()
    leader.wait()
    assert len(group_members(leader.pid)) == 1

    server.stop()

    assert group_members(leader.pid) == []


def test_a_process_that_was_given_the_same_pid_later_is_left_alone(spawn: Spawn, tmp_path: Path):
    stranger = spawn("echo ready; sleep 60")
    server = a_server(tmp_path / "sandbox", stranger.pid, started="another boot/1")

    server.stop()

    assert not server.alive()
    assert stranger.poll() is None
    assert not server.folder.exists()


def test_children_see_this_aws_and_its_clock_and_no_other(tmp_path: Path):
    environment = a_server(tmp_path / "sandbox", pid=4711, started="then").environment()

    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["SELFRIGHT_CLOCK"] == "1000.0*12.0"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_the_state_file_is_plain_json(tmp_path: Path):
    server = a_server(tmp_path / "sandbox", pid=4711, started="then")
    server.remember()

    state = json.loads((server.folder / "state.json").read_text())
    assert (state["pid"], state["port"], state["scale"], state["started"]) == (4711, 4566, 12.0, "then")
    assert list(server.folder.iterdir()) == [server.folder / "state.json"]
