"""python -m reliability [--only PREFIX]...: play every case, write results.json and docs/reliability.md.

Exit status 1 where an invariant does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from reliability import page
from reliability.board import FaultBoard
from reliability.cases import PATIENCE, Case, discover
from reliability.patient import Patient
from reliability.respond import TABLE, IncidentScene, World
from reliability.scenes import Result, Scene, clean_run, play
from sandbox import lifecycle
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from selfright.adapters.manifest_files import load_workloads

SCALE = 120.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reliability", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cases whose names begin so"
    )
    parser.add_argument("--shard", default="1/1", metavar="N/M", help="every Mth case, from the Nth on")
    parser.add_argument(
        "--results", type=Path, default=page.RESULTS, metavar="FILE", help="where to write them"
    )
    wanted = parser.parse_args()
    number, shards = (int(part) for part in wanted.shard.split("/"))
    results: list[Result] = []
    everything: list[Case] = []
    with stage() as (board, scenes):
        for scene, case, result in play_all(board, scenes, tuple(wanted.only), (number, shards), everything):
            del scene, case
            results.append(result)
            verdict = "; ".join(result.broken) or f"{result.outcome} by {result.healed_by}"
            sys.stdout.write(f"{result.seconds:5.1f} s  {result.case}: {verdict}\n")
            sys.stdout.flush()
            page.write(results, [case.name for case in everything], notes(), wanted.results)
    broken = [result for result in results if result.broken]
    sys.stdout.write(f"{len(results)} cases, {len(broken)} broken\n")
    return 1 if broken else 0


@contextlib.contextmanager
def stage() -> Iterator[tuple[FaultBoard, tuple[Scene, ...]]]:
    """The sandbox with both stacks, and all scenes in it."""
    (workload,) = load_workloads(Path("workloads"), "development")
    with contextlib.ExitStack() as stack:
        lifecycle.HOME.mkdir(exist_ok=True)
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="reliability-", dir=lifecycle.HOME))
        )
        stack.callback(lifecycle.down, home)
        server, outputs = lifecycle.up(
            home,
            scale=SCALE,
            stacks=lifecycle.both_stacks(SCALE),
            extra={"SELFRIGHT_SANDBOX_PATIENCE": str(PATIENCE)},
        )
        collector = stack.enter_context(stack.enter_context(Collector()).serving(server, workload))
        patient = stack.enter_context(Patient(server, TABLE))
        inbox = stack.enter_context(Inbox(server, outputs[lifecycle.CONTROL_PLANE]["AlertsTopicArn"]))
        world = World(server, outputs, patient, inbox, collector)
        scenes = (
            IncidentScene(world, "respond/helps"),
            IncidentScene(world, "respond/does-not-help", deaf=True),
            IncidentScene(world, "recover/stopped", stopped=True),
        )
        yield FaultBoard(server), scenes


def play_all(
    board: FaultBoard,
    scenes: tuple[Scene, ...],
    only: tuple[str, ...],
    shard: tuple[int, int],
    everything: list[Case],
) -> Iterator[tuple[Scene, Case, Result]]:
    """Each scene's cases; a call that an earlier scene makes as well is not made to fail again."""
    known: set[tuple[str, ...]] = set()
    for scene in scenes:
        clean, calls = clean_run(scene, board)
        cases = []
        for case in discover(scene.name, calls, scene.callers, scene.only_killed, scene.modes, scene.named):
            machine = scene.name.split("/")[0]
            call = (machine, case.caller, case.call, case.mode)
            if call not in known:
                known.add(call)
                cases.append(case)
        everything += cases
        arns = {scene.named(call.resource): call.resource for call in calls}
        for place, case in enumerate(cases):
            if place % shard[1] == shard[0] - 1 and (
                not only or any(fnmatchcase(case.name, f"{pattern}*") for pattern in only)
            ):
                yield scene, case, play(scene, case, board, clean, arns)


def notes() -> dict[str, str]:
    """When, of what, and how fast the clock went."""
    git = ["git", "describe", "--always", "--dirty"]
    revision = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return {
        "played": f"{datetime.now(UTC):%Y-%m-%d}",
        "revision": revision,
        "clock": f"{SCALE:g} times faster than the wall",
        "took": f"{time.monotonic() - _BEGAN:.0f} s",
    }


_BEGAN = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
