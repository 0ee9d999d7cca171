"""The commands that a newcomer types first, in processes of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from sandbox.lifecycle import HOME
from sandbox.server import ROOT, Server

BRINGS_UP_WITHIN = 60.0  # seconds of the wall
ENDS_WITHIN = 300.0
LOOK_EVERY = 0.2


class Demo(NamedTuple):
    """A command that is over: its exit code, what it printed and told on the way, and the sandbox that it had."""

    code: int
    printed: str
    told: str
    server: Server


class Running(NamedTuple):
    """A command whose sandbox is up."""

    process: subprocess.Popen[bytes]
    printed: IO[bytes]
    told: IO[bytes]
    server: Server

    def over(self) -> Demo:
        """The command once it has ended."""
        code = self.process.wait(ENDS_WITHIN)
        return Demo(code, _text(self.printed), _text(self.told), self.server)


@contextmanager
def running(*command: str) -> Iterator[Running]:
    """The command in a process of its own from the moment when its sandbox answers; it leaves nothing behind."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as told:
        process = subprocess.Popen(  # noqa: S603
            [str(Path(sys.executable).with_name("selfright")), *command, "--json"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=told,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        )
        try:
            yield Running(process, printed, told, _sandbox_of(process, told))
        finally:
            _interrupt(process)


class Demos:
    """`selfright demo --json`, then `demo undo --json`, while something else goes on: they mostly wait."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._process: subprocess.Popen[bytes] | None = None
        self._demos: dict[tuple[str, ...], Future[Demo]] = {
            command: self._pool.submit(self._run, command) for command in [("demo",), ("demo", "undo")]
        }

    def played(self, *command: str) -> Demo:
        """The command once it is over."""
        return self._demos[command].result(2 * ENDS_WITHIN)

    def stop(self) -> None:
        """Also where nobody waited for them."""
        if self._process:
            _interrupt(self._process)
        self._pool.shutdown(cancel_futures=True)

    def _run(self, command: tuple[str, ...]) -> Demo:
        with running(*command) as demo:
            self._process = demo.process
            return demo.over()


def _sandbox_of(process: subprocess.Popen[bytes], told: IO[bytes]) -> Server:
    """The sandbox whose address it tells."""
    deadline = time.monotonic() + BRINGS_UP_WITHIN
    while True:
        port = re.search(r"local AWS answers on http://127\.0\.0\.1:(\d+)", _text(told))
        servers = (Server.found_in(state.parent) for state in HOME.glob("demo-*/sandbox/state.json"))
        for server in servers:
            if server and port and server.port == int(port[1]):
                return server
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the demo brought no sandbox up:\n{_text(told)}")
        time.sleep(LOOK_EVERY)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does: it takes its sandbox down before it ends."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _text(file: IO[bytes]) -> str:
    """All of it so far; the other process writes at a place of its own, as both share the file."""
    return os.pread(file.fileno(), 10_000_000, 0).decode()
