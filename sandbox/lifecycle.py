"""One sandbox per folder: bring it up with both stacks, tell how it is, take it down."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandbox import people, workload
from sandbox.deployment import build, deploy
from sandbox.server import ROOT, SandboxError, Server, start
from selfright.domain.manifest import Workload

HOME = ROOT / ".selfright"
STACKS_FILE = "stacks.json"
CONTROL_PLANE = "selfright"

Outputs = dict[str, str]
Tell = Callable[[str, float], None]  # what was done, and how many seconds it took


class AlreadyRunningError(SandboxError):
    """A sandbox runs in this folder, or somebody is starting or stopping it this very moment."""


@dataclass(frozen=True)
class Stack:
    """A template to deploy. `layers`: it has layers, and so must be built before; `workloads`: with these in them.

    Without it, the shipped ones.
    """

    name: str
    template: Path
    parameters: dict[str, str] = field(default_factory=dict)
    layers: bool = True
    workloads: Path | None = None


def both_stacks(scale: float, environment: workload.Environment = "development") -> tuple[Stack, ...]:
    """Selfright and the sample workload that it looks after, as the sandbox deploys them."""
    return (
        control_plane(environment),
        Stack(
            workload.stack_name(environment),
            workload.TEMPLATE,
            workload.stack_parameters(environment, scale),
            layers=False,
        ),
    )


def control_plane(environment: str, workloads: Path | None = None, **parameters: str) -> Stack:
    """Selfright for the manifests in `workloads`, else the shipped ones; `parameters` are the template's."""
    given = {"Environment": environment, "StartPaused": "false", **parameters}
    return Stack(CONTROL_PLANE, ROOT / "template.yaml", given, workloads=workloads)


@dataclass(frozen=True)
class Sandbox:
    """What a folder holds. `stacks`: the outputs of those that were deployed, by stack name.

    `dead`: its process ended without being stopped; only files are left.
    """

    state: Literal["running", "dead", "none"]
    server: Server | None = None
    stacks: dict[str, Outputs] = field(default_factory=dict)


def status(home: Path = HOME) -> Sandbox:
    """Look without touching."""
    folder = home / "sandbox"
    if not folder.exists():
        return Sandbox("none")
    server = Server.found_in(folder)
    if server is None or not server.alive():
        return Sandbox("dead", server)
    with contextlib.suppress(FileNotFoundError):
        return Sandbox("running", server, json.loads((folder / STACKS_FILE).read_text()))
    return Sandbox("running", server)


def up(
    home: Path = HOME,
    *,
    scale: float = 12.0,
    auth: bool = True,
    stacks: tuple[Stack, ...],
    people_of: Workload | None = None,
    tell: Tell | None = None,
    extra: dict[str, str] | None = None,
) -> tuple[Server, dict[str, Outputs]]:
    """Start a sandbox and deploy `stacks`, all at once; answers the server and each stack's outputs.

    `people_of`: the channels of this workload lead to services that the sandbox plays itself.
    `auth`: roles may do what their policies allow, and nothing else.
    `extra`: variables of the emulator's environment.

    Raises AlreadyRunningError, or SandboxError after cleaning up where a step failed.
    """
    tell = tell or _say_nothing
    home.mkdir(parents=True, exist_ok=True)
    with _alone_in(home):
        before = status(home)
        if before.state == "running" and before.server:
            raise AlreadyRunningError(
                f"a sandbox runs already: {before.server.endpoint}, process {before.server.pid}"
            )
        if before.state == "dead":
            _clear(home)
            tell("cleaned up after a sandbox that had died", 0.0)
        try:
            with ThreadPoolExecutor(max_workers=1 + len(stacks)) as pool:
                starting = pool.submit(_start, home, scale, auth, tell, extra)
                deploying = {s.name: pool.submit(_build_and_deploy, s, starting, tell) for s in stacks}
            server = starting.result()
            outputs = {name: future.result() for name, future in deploying.items()}
            if people_of:
                people.lead_here(server, people_of)
            (server.folder / STACKS_FILE).write_text(json.dumps(outputs, indent=2) + "\n")
        except BaseException:
            _clear(home)
            raise
        return server, outputs


def down(home: Path = HOME) -> Sandbox:
    """Stop what runs and delete its files; answers how it was before. Nothing there is fine."""
    if not home.exists():
        return Sandbox("none")
    with _alone_in(home):
        before = status(home)
        _clear(home)
        return before


def _say_nothing(_what: str, _seconds: float) -> None:
    pass


def _start(home: Path, scale: float, auth: bool, tell: Tell, extra: dict[str, str] | None) -> Server:
    began = time.monotonic()
    server = start(home / "sandbox", scale=scale, auth=auth, extra=extra)
    tell(f"local AWS answers on {server.endpoint}", time.monotonic() - began)
    return server


def _build_and_deploy(stack: Stack, starting: Future[Server], tell: Tell) -> Outputs:
    """Build while the server starts, deploy when it answers."""
    template = stack.template
    if stack.layers:
        built = build(template, HOME / "build" / stack.name, "sandbox", stack.workloads)
        tell(f"{stack.name}: {'build is up to date' if built.reused else 'built'}", built.seconds)
        template = built.template
    server = starting.result()
    began = time.monotonic()
    outputs = deploy(server, template, stack.name, stack.parameters)
    tell(f"{stack.name}: deployed", time.monotonic() - began)
    return outputs


def _clear(home: Path) -> None:
    """Nothing of the sandbox stays: no process, no file. What was built stays, for the next one."""
    folder = home / "sandbox"
    if server := Server.found_in(folder):
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _alone_in(home: Path) -> Iterator[None]:
    """Keep a second `up` or `down` out; the lock goes with the process that holds it, and leaves no file."""
    descriptor = os.open(home, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                "another command is starting or stopping the sandbox right now"
            ) from None
        yield
    finally:
        os.close(descriptor)
