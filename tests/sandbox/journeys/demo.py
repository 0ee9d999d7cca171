"""The command that a newcomer types first, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from sandbox.lifecycle import HOME
from sandbox.server import ROOT, Server

BRINGS_UP_WITHIN = 60.0  # seconds of the wall
ENDS_WITHIN = 170.0
LOOK_EVERY = 0.2


@dataclass
class Demo:
    process: subprocess.Popen[bytes]
    printed: IO[bytes]
    told: IO[bytes]
    server: Server  # its own sandbox

    @classmethod
    def start(cls) -> Self:
        """Run the command, and find the sandbox that it brings up."""
        printed, told = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        process = subprocess.Popen(  # noqa: S603
            [str(Path(sys.executable).with_name("selfright")), "demo", "--json"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=told,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        )
        deadline = time.monotonic() + BRINGS_UP_WITHIN
        while not (server := cls._sandbox(_text(told))):
            if process.poll() is not None or time.monotonic() > deadline:
                _interrupt(process)
                raise AssertionError(f"the demo brought no sandbox up:\n{_text(told)}")
            time.sleep(LOOK_EVERY)
        return cls(process, printed, told, server)

    @staticmethod
    def _sandbox(told: str) -> Server | None:
        """The sandbox whose address it tells."""
        port = re.search(r"local AWS answers on http://127\.0\.0\.1:(\d+)", told)
        servers = (Server.found_in(state.parent) for state in HOME.glob("demo-*/sandbox/state.json"))
        return next((s for s in servers if s and port and s.port == int(port[1])), None)

    def finish(self) -> tuple[int, str, str]:
        """Exit code, what it printed, and what it told on the way."""
        code = self.process.wait(ENDS_WITHIN)
        return code, _text(self.printed), _text(self.told)

    def stop(self) -> None:
        """Also where it was not waited for."""
        _interrupt(self.process)
        self.printed.close()
        self.told.close()


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does: it takes its sandbox down before it ends."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _text(file: IO[bytes]) -> str:
    """All of it so far; the other process writes at a place of its own, as both share the file."""
    return os.pread(file.fileno(), 10_000_000, 0).decode()
