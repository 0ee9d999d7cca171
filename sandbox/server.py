"""The emulator's process: start on a free port, wait until it answers, stop and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EMULATOR_PYTHON = ROOT / ".envs" / "emulator" / "bin" / "python"
REGION = "us-east-1"
ACCOUNT = "000000000000"
START_TIMEOUT = 60.0
STOP_GRACE = 5.0

_children: dict[int, subprocess.Popen[bytes]] = {}  # those this process started, to be reaped by it


class SandboxError(RuntimeError):
    """The local AWS did not do what was asked; the message says where its log is."""


@dataclass(frozen=True)
class Server:
    """A running emulator. `origin` and `scale` are its clock, see sandbox/emulator/clock.py."""

    pid: int
    port: int
    folder: Path
    origin: float
    scale: float

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
        return _alive(self.pid)

    def stop(self) -> None:
        """End the process (TERM, then KILL after a grace period) and delete its folder."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not _alive(self.pid):
                break
            os.killpg(self.pid, number)
            deadline = time.monotonic() + STOP_GRACE
            while _alive(self.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)


def start(
    folder: Path, *, scale: float = 1.0, auth: bool = False, extra: dict[str, str] | None = None
) -> Server:
    """Start an emulator whose files all live in `folder` (created; must not hold another one).

    `scale`: how many seconds pass in the sandbox per second on the wall. `auth`: enforce IAM.
    Raises SandboxError where it does not answer within a minute.
    """
    if not EMULATOR_PYTHON.exists():
        raise SandboxError("the emulator is not installed; run `make emulator`")
    folder.mkdir(parents=True)
    (folder / "tmp").mkdir()
    server = Server(pid=0, port=_free_port(), folder=folder, origin=time.time(), scale=scale)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'core'}",
        "GATEWAY_PORT": str(server.port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true" if auth else "false",
        **server.environment(),
        **(extra or {}),
    }
    with server.log.open("w") as log:
        process = subprocess.Popen(  # noqa: S603
            [str(EMULATOR_PYTHON), "-m", "sandbox.emulator"],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    _children[process.pid] = process
    server = Server(process.pid, server.port, folder, server.origin, server.scale)
    deadline = time.monotonic() + START_TIMEOUT
    while not server.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(server.log.read_text().splitlines()[-15:])
            server.stop()
            raise SandboxError(f"the emulator did not start:\n{tail}")
        time.sleep(0.05)
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _alive(pid: int) -> bool:
    if child := _children.get(pid):
        return child.poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
