"""cold_import: CPU of a fresh interpreter that imports a built room and handles its first event.

Floors are stock boto3, as Lambda brings it: `import boto3` alone, or with the clients that the room needs, on one
session. Rooms also *call* AWS (a stub on the loopback); the floors do not, so a ratio of 1 is out of reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmarks.artifact import Artifact, artifacts
from benchmarks.rounds import BenchmarkError, Child, Figures, cpu_seconds, interleaved
from benchmarks.rows import Row, judged
from benchmarks.scenes import CLIENTS, EXPECTED, Scene
from benchmarks.stub_aws import StubAws, stub_aws
from sandbox.server import EMULATOR_PYTHON

PROGRAM = Path(__file__).parent / "first_event.py"
ROUNDS = 9
BARE = "import boto3"
RECEIVE_BUDGET, ROOM_BUDGET, BUILT_BUDGET = 1.15, 1.45, 1.05


def rows(only: str) -> Iterator[Row]:
    rooms = [room for room in CLIENTS if f"cold_import.{room}".startswith(only) or only in "cold_import."]
    if not rooms:
        return
    with artifacts() as (built, checkout), stub_aws() as stub:
        measures = {BARE: partial(cpu_seconds, _floor(built, stub, ()))}
        for room in rooms:
            scene = Scene(room)
            measures[f"{room} floor"] = partial(cpu_seconds, _floor(built, stub, CLIENTS[room]))
            measures[f"{room} built"] = partial(_first_event, built, stub, room, scene)
            measures[f"{room} checkout"] = partial(_first_event, checkout, stub, room, scene)
        figures = interleaved(measures, ROUNDS)
    for room in rooms:
        yield from _rows(room, figures)


def _rows(room: str, figures: Figures) -> Iterator[Row]:
    built, name = f"{room} built", f"cold_import.{room}"
    value = figures.median(built)
    bare, floor = (figures.ratio(built, against) for against in (BARE, f"{room} floor"))
    if room == "receive_signal":
        note = f"±{figures.spread(built, BARE):.2f}; {floor:.2f} x (boto3 + its own clients)"
        yield judged(name, value, "CPU s", BARE, bare, RECEIVE_BUDGET, note)
    else:
        note = f"±{figures.spread(built, f'{room} floor'):.2f}; {bare:.2f} x bare import boto3"
        yield judged(name, value, "CPU s", "boto3 + its own clients", floor, ROOM_BUDGET, note)
    ratio = figures.ratio(built, f"{room} checkout")
    note = f"±{figures.spread(built, f'{room} checkout'):.2f}"
    yield judged(f"{name}.built", value, "CPU s", "checkout with warm .pyc", ratio, BUILT_BUDGET, note)


def _floor(artifact: Artifact, stub: StubAws, clients: tuple[str, ...]) -> Child:
    stock = {name: value for name, value in artifact.environment.items() if name != "AWS_DATA_PATH"}
    return _child({"paths": [str(artifact.runtime)], "clients": clients}, stock, stub)


def _first_event(artifact: Artifact, stub: StubAws, room: str, scene: Scene) -> float:
    stub.answers = scene.answers
    stub.asked.clear()
    spec = {"paths": artifact.paths(room), "event": scene.event, "expect": EXPECTED[room]}
    seconds = cpu_seconds(_child(spec, artifact.environment, stub))
    if not stub.asked:
        raise BenchmarkError(f"{room} asked AWS for nothing")
    return seconds


def _child(spec: object, environment: Mapping[str, str], stub: StubAws) -> Child:
    command = (str(EMULATOR_PYTHON), "-I", "-S", str(PROGRAM), json.dumps(spec))
    return Child(command, {**environment, **stub.environment})
