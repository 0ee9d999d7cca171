"""The emulator's process: start on a free port, wait until it answers, stop and leave nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.processes import fingerprint, group_members

ROOT = Path(__file__).resolve().parent.parent
EMULATOR_PYTHON = ROOT / ".envs" / "emulator" / "bin" / "python"
REGION = "us-east-1"
ACCOUNT = "000000000000"
START_TIMEOUT = 60.0
STOP_GRACE = 5.0
STATE_FILE = "state.json"

# Waits until the emulator's end of a pipe closes, however it ended, then ends what is left of its process
# group: a Lambda worker that hangs in a handler would outlive an emulator that was killed.
WATCHER = 'read -r _; kill -s KILL -- "-$0" 2>/dev/null'

_children: dict[int, list[subprocess.Popen[bytes]]] = {}  # those this process started, to be reaped by it


class SandboxError(RuntimeError):
    """The local AWS did not do what was asked; the message says where its log is."""


@dataclass(frozen=True)
class Server:
    """A running emulator. `origin` and `scale` are its clock, see sandbox/emulator/clock.py.

    It leads a process group that its Lambda workers belong to. `started` tells it from a later process that
    was given the same pid.
    """

    pid: int
    port: int
    folder: Path
    origin: float
    scale: float
    started: str
    auth: bool = False

    @classmethod
    def found_in(cls, folder: Path) -> Server | None:
        """The emulator whose state lies in `folder`, running or not."""
        try:
            state = json.loads((folder / STATE_FILE).read_text())
            return cls(**{**state, "folder": folder})
        except (FileNotFoundError, ValueError, TypeError):
            return None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "emulator.log"

    def now(self) -> float:
        """Sandbox time, in seconds since 1970."""
        return self.origin + (time.time() - self.origin) * self.scale

    def environment(self) -> dict[str, str]:
        """What a child process needs to use this AWS and its clock, and no other."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SELFRIGHT_CLOCK": f"{self.origin!r}*{self.scale!r}",
        }

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client of this AWS."""
        import boto3
        from botocore.config import Config

        connect: Any = boto3.client
        return connect(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulator's bootstrap key, not a secret
            config=Config(inject_host_prefix=False, **config),
        )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)  # noqa: PLR2004
        except (urllib.error.URLError, OSError):
            return False

    def alive(self) -> bool:
        return fingerprint(self.pid) == self.started

    def stop(self) -> None:
        """End the process with its workers (TERM, then KILL after a grace period) and delete its folder."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.alive():
                os.killpg(self.pid, number)
                _wait(lambda: not self.alive(), STOP_GRACE)
        if fingerprint(self.pid) is None and group_members(self.pid):
            # The number of a group is not given away while it has members: these are the emulator's workers.
            os.killpg(self.pid, signal.SIGKILL)
            _wait(lambda: not group_members(self.pid), STOP_GRACE)
        for child in _children.pop(self.pid, []):
            child.wait(STOP_GRACE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def remember(self) -> None:
        """Write the state file, whole or not at all."""
        draft = self.folder / f"{STATE_FILE}.draft"
        draft.write_text(json.dumps(asdict(self), default=str, indent=2) + "\n")
        draft.replace(self.folder / STATE_FILE)


def start(
    folder: Path, *, scale: float = 1.0, auth: bool = False, extra: dict[str, str] | None = None
) -> Server:
    """Start an emulator whose files all live in `folder` (created; must not hold another one).

    `scale`: how many seconds pass in the sandbox per second on the wall. `auth`: enforce IAM.
    Raises SandboxError where it does not answer within a minute.
    """
    if not EMULATOR_PYTHON.exists():
        raise SandboxError("the emulator is not installed; run `make emulator`")
    folder = folder.resolve()
    folder.mkdir(parents=True)
    (folder / "tmp").mkdir()
    server = _launch(folder, scale=scale, auth=auth, extra=extra or {})
    _wait(lambda: server.answers() or not server.alive(), START_TIMEOUT)
    if not server.answers():
        tail = "\n".join(server.log.read_text().splitlines()[-15:])
        server.stop()
        raise SandboxError(f"the emulator did not start:\n{tail}")
    return server


def _launch(folder: Path, *, scale: float, auth: bool, extra: dict[str, str]) -> Server:
    """Start the emulator and its watcher, and write down that they run; nobody answers yet."""
    server = Server(0, _free_port(), folder, time.time(), scale, "", auth)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'core'}",
        "GATEWAY_PORT": str(server.port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true" if auth else "false",
        **server.environment(),
        **extra,
    }
    closes_with_emulator, held_by_emulator = os.pipe()
    try:
        with server.log.open("w") as log:
            emulator = subprocess.Popen(  # noqa: S603
                [str(EMULATOR_PYTHON), "-m", "sandbox.emulator"],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env=environment,
                pass_fds=[held_by_emulator],
                start_new_session=True,
            )
        watcher = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", WATCHER, str(emulator.pid)],
            stdin=closes_with_emulator,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(closes_with_emulator)
        os.close(held_by_emulator)
    _children[emulator.pid] = [emulator, watcher]
    server = replace(server, pid=emulator.pid, started=fingerprint(emulator.pid) or "ended at once")
    server.remember()
    return server


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    """Return as soon as `condition` holds, and after `seconds` at the latest."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
