"""judge.*: how often the judge rolls back a healthy release, and how soon a bad one, beside other methods.

A simulated release goes through three steps of 20 minutes, with 10, 25 and 50 % of the calls, which come as a Poisson
process. Ours is the very code of the product; the dice and the other methods are in judge_peers.py.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.judge_page import PAGE, page
from benchmarks.rounds import BenchmarkError
from benchmarks.rows import Row, judged, publish
from sandbox.server import ROOT
from selfright.domain.canary import (
    Counts,
    LatencyPoint,
    Minute,
    Plan,
    Verdict,
    judge_counts,
    judge_latency,
    log_e_values,
)

PYTHON = ROOT / ".envs" / "bench" / "bin" / "python"
PROGRAM = Path(__file__).parent / "judge_peers.py"
WEIGHTS, STEP = (0.1, 0.25, 0.5), 20
MINUTES = STEP * len(WEIGHTS)
CALLS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)  # a minute, of both versions
BASES = (
    (0.001, 0.001),
    (0.01, 0.01),
    (0.05, 0.05),
    (0.01, 0.03),
)  # first and last minute; the last one drifts
RATES = (0.02, 0.05, 0.1, 0.3, 0.5)
SLOWER = (1.0, 1.01, 1.05, 1.1, 1.3, 2.0, 3.0)
LATENCY_CALLS = (2, 10, 100, 1000)
HEALTHY_RUNS, BAD_RUNS = 4000, 1000
GOAL = 0.01
AS_FAST = 1.01  # dice: the standard error of a cell's ratio is about half a percent
SEED = 2  # not the one that priors and shares of alpha were chosen with


@dataclass(frozen=True)
class Cell:
    """One kind of release: `rate` of the canary, None where it is as good as the live version; or `slower`."""

    calls: int
    runs: int
    base: float = 0.01
    base_end: float = 0.01
    rate: float | None = None
    slower: float | None = None
    burst: int = 1  # failures that come together, on one version
    seed: int = SEED
    weights: Sequence[float] = WEIGHTS
    step: int = STEP

    @property
    def service_level(self) -> float:
        """One that the live version meets."""
        return 0.05 if self.base < 0.05 else 0.1

    @property
    def plan(self) -> Plan:
        """The product's defaults."""
        return Plan(gates=len(WEIGHTS), max_error_rate=self.service_level)


@dataclass(frozen=True)
class Outcome:
    """When each method rolled back, one minute a run, 0 for never; `promoted` is how many runs ours let through."""

    cell: Cell
    found: Mapping[str, Sequence[int]]
    promoted: int = field(default=0)

    def share(self, method: str) -> float:
        return sum(map(bool, self.found[method])) / len(self.found[method])

    def minutes(self, method: str) -> float:
        """Mean minutes that the canary served, an hour where it was never rolled back."""
        return statistics.fmean(minute or MINUTES for minute in self.found[method])


def rows(only: str) -> Iterator[Row]:
    names = ("judge.false_rollback_max", "judge.detection")
    if not any(name.startswith(only) for name in names):
        return
    if not PYTHON.exists():
        raise BenchmarkError("NumPy is not installed; run `make bench`")
    healthy = list(_play(Cell(n, HEALTHY_RUNS, *base) for base in BASES for n in CALLS))
    bad = list(
        _play(
            Cell(n, BAD_RUNS, *base, rate=rate)
            for base in BASES[:3]
            for rate in RATES
            if rate > base[0]
            for n in CALLS
        )
    )
    slow = list(
        _play(
            Cell(n, HEALTHY_RUNS if factor <= 1.01 else BAD_RUNS, slower=factor)
            for factor in SLOWER
            for n in LATENCY_CALLS
        )
    )
    bursts = list(_play(Cell(n, HEALTHY_RUNS, burst=3) for n in (10, 100, 1000)))
    text = page(healthy, bad, slow, bursts, GOAL)
    publish(text.tables, {"dice": str(SEED), "runs a cell": f"{HEALTHY_RUNS} healthy, {BAD_RUNS} bad"}, PAGE)
    yield judged(names[0], text.worst, "share", "goal 1 %", text.worst / GOAL, 1.0, text.worst_note)
    yield judged(names[1], text.minutes, "minutes", text.rival, text.ratio, AS_FAST, text.detection_note)


def _play(cells: Iterable[Cell]) -> Iterator[Outcome]:
    wanted = list(cells)
    asked = json.dumps([vars(cell) for cell in wanted]).encode()
    with subprocess.Popen([PYTHON, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        if child.stdin is None or child.stdout is None:
            raise BenchmarkError("the dice cannot be reached")
        child.stdin.write(asked)
        child.stdin.close()
        for cell in wanted:
            found: dict[str, list[int]] = json.loads(child.stdout.readline())
            if cell.slower is None:
                draws = _numbers(child.stdout, "i", cell.runs * MINUTES * 4)
                ours = [_on_counts(run, cell.plan) for run in _split(draws, MINUTES * 4)]
            else:
                draws = _numbers(child.stdout, "d", cell.runs * MINUTES * 2)
                ours = [_on_latency(run, cell.plan) for run in _split(draws, MINUTES * 2)]
            found["ours"] = [minute for minute, _ in ours]
            yield Outcome(cell, found, sum(promoted for _, promoted in ours))


def _on_counts(run: array[Any], plan: Plan) -> tuple[int, bool]:
    """The minute in which ours rolls back, or 0; and whether every gate passed."""
    limit = -math.log(plan.alpha_watch)
    watched = enumerate(log_e_values(_minutes(run)), start=1)
    stopped = next((minute for minute, log_e in watched if log_e >= limit), 0)
    passed = 0
    for gate in range(1, plan.gates + 1):
        end = gate * STEP
        if stopped and stopped <= end:
            return stopped, False
        step = run[(end - STEP) * 4 : end * 4]
        control = Counts(errors=sum(step[1::4]), invocations=sum(step[0::4]))
        canary = Counts(errors=sum(step[3::4]), invocations=sum(step[2::4]))
        verdict = judge_counts(control, canary, plan, gate=gate).verdict
        if verdict is Verdict.FAIL:
            return end, False
        passed += verdict is Verdict.PASS
    return 0, passed == plan.gates


def _minutes(run: array[Any]) -> Iterator[Minute]:
    """Unchecked, as the dice make no mistakes and there are millions of them."""
    for n in range(MINUTES):
        old, old_bad, new, new_bad = run[4 * n : 4 * n + 4]
        yield Minute.model_construct(
            step=n // STEP,
            control=Counts.model_construct(errors=old_bad, invocations=old),
            canary=Counts.model_construct(errors=new_bad, invocations=new),
        )


def _on_latency(run: array[Any], plan: Plan) -> tuple[int, bool]:
    passed = 0
    for gate in range(1, plan.gates + 1):
        so_far = run[: gate * STEP * 2]
        control, canary = (
            [LatencyPoint.model_construct(value=v) for v in so_far[side::2] if not math.isnan(v)]
            for side in (0, 1)
        )
        verdict = judge_latency(control, canary, plan, gate=gate).verdict
        if verdict is Verdict.FAIL:
            return gate * STEP, False
        passed += verdict is Verdict.PASS
    return 0, passed == plan.gates


def _numbers(stream: IO[bytes], kind: str, count: int) -> array[Any]:
    numbers = array(kind)
    numbers.frombytes(stream.read(count * numbers.itemsize))
    if len(numbers) != count:
        raise BenchmarkError(f"{len(numbers)} of {count} numbers came from {PROGRAM.name}")
    return numbers


def _split(numbers: array[Any], size: int) -> Iterator[array[Any]]:
    return (numbers[at : at + size] for at in range(0, len(numbers), size))
