"""python -m reliability [--only PATTERN]...: play every case and write results.json; `make docs` makes the page of it.

Exit status 1 where an invariant does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import NamedTuple

from reliability import page
from reliability.backup import RestoreScene
from reliability.board import FaultBoard
from reliability.cases import PATIENCE, Case, Mode, discover, pattern
from reliability.patient import Patient
from reliability.release import ReleaseScene
from reliability.release_world import ReleaseWorld, hasty_workloads
from reliability.respond import IncidentScene
from reliability.scenes import Result, Scene, clean_run, play
from reliability.world import ENVIRONMENT, TABLE, World
from sandbox import lifecycle
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from sandbox.server import ROOT
from selfright.adapters.manifest_files import load_workloads

SCALE = 120.0  # a run that takes five seconds here takes ten minutes on AWS
HARDEST_FIRST = (Mode.KILL_AFTER, Mode.KILL_BEFORE, Mode.DELAY, Mode.THROTTLE, Mode.FAIL, Mode.DOWN)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reliability", description="Make every AWS call go wrong."
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cases whose names begin so"
    )
    parser.add_argument("--scale", type=float, default=SCALE, metavar="N", help="less on a slow machine")
    wanted = parser.parse_args()
    noted, results, cases = notes(wanted.scale), list[Result](), list[Case]()
    with stage(wanted.scale) as staged:
        for result in play_all(staged.board, staged.scenes, wanted.only, cases):
            results.append(result)
            verdict = "; ".join(result.broken) or f"{result.outcome}: {result.healed_by}"
            sys.stdout.write(f"{result.seconds:5.1f} s  {result.case}: {verdict}\n")
            sys.stdout.flush()
            page.write(results, [case.name for case in cases], noted, page.RESULTS, keep=bool(wanted.only))
    broken = [result for result in results if result.broken]
    sys.stdout.write(f"{len(results)} cases, {len(broken)} broken\n")
    return 1 if broken or not results else 0


class Stage(NamedTuple):
    board: FaultBoard
    scenes: tuple[Scene, ...]
    releases: ReleaseWorld


@contextlib.contextmanager
def stage(scale: float = SCALE) -> Iterator[Stage]:
    """The sandbox with both stacks, and all scenes in it."""
    (workload,) = load_workloads(ROOT / "workloads", "development")
    with contextlib.ExitStack() as stack:
        lifecycle.HOME.mkdir(exist_ok=True)
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="reliability-", dir=lifecycle.HOME))
        )
        stack.callback(lifecycle.down, home)
        server, outputs = lifecycle.up(
            home,
            scale=scale,
            stacks=(
                lifecycle.control_plane(ENVIRONMENT, hasty_workloads()),
                *lifecycle.both_stacks(scale)[1:],
            ),
            extra={"SELFRIGHT_SANDBOX_PATIENCE": str(PATIENCE)},
        )
        collector = stack.enter_context(stack.enter_context(Collector()).serving(server, workload))
        patient = stack.enter_context(Patient(server, TABLE))
        inbox = stack.enter_context(Inbox(server, outputs[lifecycle.CONTROL_PLANE]["AlertsTopicArn"]))
        world = World(server, outputs, patient, inbox, collector)
        releases = ReleaseWorld(world)
        scenes: tuple[Scene, ...] = (
            IncidentScene(world, "respond/helps"),
            IncidentScene(world, "respond/does-not-help", deaf=True),
            IncidentScene(world, "undo/stopped", deaf=True, stopped=True),
            ReleaseScene(releases, "deploy/good"),
            ReleaseScene(releases, "deploy/fails", failing=True),
            ReleaseScene(releases, "roll_back/by-hand", by_hand=True),
            ReleaseScene(releases, "roll_back/stopped", stopped=True),
            RestoreScene(world, "verify_backup/good"),
        )
        yield Stage(FaultBoard(server), scenes, releases)


def play_all(
    board: FaultBoard, scenes: Sequence[Scene], only: Sequence[str], cases: list[Case]
) -> Iterator[Result]:
    """Discovers the cases of every state machine of which one is wanted, into `cases`, and plays those wanted.

    A call that an earlier scene of the same state machine makes as well is not made to fail again.
    """
    known: set[tuple[str, ...]] = set()
    plays: list[tuple[Case, Callable[[], Result]]] = []
    for scene in scenes:
        machine = scene.name.split("/", maxsplit=1)[0]
        if only and not any(fnmatchcase(machine, pattern.split("/", maxsplit=1)[0]) for pattern in only):
            continue
        clean, calls = clean_run(scene, board)
        arns = {scene.named(call.resource): pattern(call.resource) for call in calls}
        for case in discover(scene, calls):
            call = (machine, case.caller, case.call, case.mode)
            if call not in known:
                known.add(call)
                cases.append(case)
                plays.append((case, partial(play, scene, case, board, clean, arns)))
    for case, play_it in sorted(plays, key=lambda one: HARDEST_FIRST.index(one[0].mode)):
        if not only or any(fnmatchcase(case.name, f"{pattern}*") for pattern in only):
            yield play_it()


def notes(scale: float) -> dict[str, str]:
    """When, of what, and how fast the clock went."""
    git = ["git", "describe", "--always", "--dirty"]
    revision = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return {
        "on": f"{datetime.now(UTC):%Y-%m-%d}",
        "revision": revision,
        "clock": f"{scale:g} times faster than the wall",
    }


if __name__ == "__main__":
    sys.exit(main())
