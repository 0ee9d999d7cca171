"""replay: recorded events through the current policies, as `selfright replay` and the merge gate do it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from benchmarks.rounds import BenchmarkError, interleaved
from benchmarks.rows import Row, judged
from cli.events import Policies
from cli.replay import decide
from sandbox.server import ROOT

NAME, ROUNDS, REPEATS = "replay", 9, 5


def rows(only: str) -> Iterator[Row]:
    if not NAME.startswith(only):
        return
    root = ROOT / "events"
    files = sorted(root.rglob("*.json")) * REPEATS
    policies = Policies(ROOT / "runbooks", ROOT / "workloads", None)
    signals = sum(decision.accepted for decision in decide(files, root, policies))
    if not signals:
        raise BenchmarkError("no recorded event was taken for a signal")
    ours, floor = "replayed", "json.loads of the same files"
    measures = {
        ours: _cpu(lambda: decide(files, root, policies)),
        floor: _cpu(lambda: [json.loads(path.read_text("utf-8")) for path in files]),
    }
    figures = interleaved(measures, ROUNDS)
    note = (
        f"±{figures.spread(ours, floor):.2f}; {len(files)} events, {signals} of them signals, every gate asked; "
        f"{figures.median(ours) / len(files) * 1e6:.0f} µs an event"
    )
    value = len(files) / figures.median(ours)
    yield judged(NAME, value, "events/CPU s", floor, figures.ratio(ours, floor), None, note)


def _cpu(run: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        began = time.process_time()
        run()
        return time.process_time() - began

    return measure
