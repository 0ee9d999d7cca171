"""The process of a Lambda execution environment: start it, talk to it, watch its memory, read what it prints."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")
MEGABYTE = 1024 * 1024
# Of one invocation's output, in bytes; the rest is lost, where AWS would send a bill.
LOG_LIMIT = 4 * MEGABYTE
# How often the memory of a running handler is looked at, in seconds. Memory can be filled at some GB/s; what a
# look misses, the peak that comes with the answer tells.
LOOK_EVERY = 0.02
# How long a process that hung up may take to end by itself, in seconds.
LAST_BREATH = 1.0


class GoneError(Exception):
    """The process ended before it answered; the message says how, e.g. "exit status 3"."""


class TimedOutError(Exception):
    """No answer before the deadline."""


class OutOfMemoryError(Exception):
    """The process held more than it may."""


class BootstrapProcess:
    """lambda_bootstrap.py in a process of its own. `memory_limit` in bytes; `environment` is all it gets."""

    def __init__(self, folder: Path, environment: dict[str, str], memory_limit: int) -> None:
        self.peak_bytes = 0
        self._memory_limit = memory_limit
        self._unread = b""
        self._log = bytearray()
        self._link, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                # -S -P -u: no site-packages, no folder of the bootstrap on the path, nothing held in buffers
                [sys.executable, "-S", "-P", "-u", str(BOOTSTRAP), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                pass_fds=(theirs.fileno(),),
            )
        assert self._process.stdout is not None  # noqa: S101 - narrows the type: it is a pipe
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._link, selectors.EVENT_READ)
        self._selector.register(self._pipe, selectors.EVENT_READ)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, message: dict[str, Any], deadline: float) -> dict[str, Any]:
        """The answer to `message`, before `deadline` (monotonic seconds).

        Raises GoneError, TimedOutError or OutOfMemoryError; after each the process is of no more use.
        """
        try:
            self._link.sendall(json.dumps(message).encode() + b"\n")
            line = self._line(deadline)
        except (OSError, EOFError) as error:
            raise GoneError(self._how_it_ended()) from error
        self._read_log()
        answer: dict[str, Any] = json.loads(line)
        self._note_memory(answer["peak_bytes"])
        return answer

    def signal_kill(self) -> None:
        """End it from another thread than the one that waits for its answer."""
        self._process.kill()

    def kill(self) -> None:
        """End it at once, as Lambda does; what it printed can still be read."""
        self._process.kill()
        self._process.wait()
        self._read_log()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._selector.close()
        self._link.close()
        self._pipe.close()

    def take_log(self) -> list[str]:
        """The lines printed since the last time."""
        text = self._log.decode(errors="replace").removesuffix("\n")
        self._log.clear()
        return text.split("\n") if text else []  # splitlines would part the lines of a traceback

    def _line(self, deadline: float) -> bytes:
        # Not at every line that the handler prints: a look costs more than the line.
        look_at = time.monotonic() + LOOK_EVERY
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOutError
            for key, _ in self._selector.select(min(left, LOOK_EVERY)):
                if key.fileobj is self._pipe:
                    self._read_log()
                elif received := self._link.recv(MEGABYTE):
                    self._unread += received
                else:
                    raise EOFError
            if time.monotonic() >= look_at:
                self._look_at_memory()
                look_at = time.monotonic() + LOOK_EVERY
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _look_at_memory(self) -> None:
        """Where the kernel tells it; elsewhere the limit is judged by the peak that comes with the answer."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self._note_memory(int(line.split()[1]) * 1024)

    def _note_memory(self, peak: int) -> None:
        self.peak_bytes = max(self.peak_bytes, peak)
        if self.peak_bytes > self._memory_limit:
            raise OutOfMemoryError

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(LAST_BREATH)
        except subprocess.TimeoutExpired:  # it closed the socket and lives on
            self._process.kill()
            code = self._process.wait()
        return f"signal: {signal.strsignal(-code)}".lower() if code < 0 else f"exit status {code}"

    def _read_log(self) -> None:
        """What lies in the pipe, which is at most 64 KB; one read, as a handler may print for ever."""
        try:
            text = os.read(self._pipe.fileno(), MEGABYTE)
        except BlockingIOError:
            return
        if len(self._log) < LOG_LIMIT:
            self._log += text
        if not text and self._pipe in self._selector.get_map():
            self._selector.unregister(self._pipe)
