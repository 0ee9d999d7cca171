"""Measure children on a busy machine: their own CPU time, in interleaved rounds, medians of the rounds."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class BenchmarkError(RuntimeError):
    """Something did not run as it must for its figure to mean anything."""


@dataclass(frozen=True)
class Child:
    """A program to run; `environment` is all that it gets."""

    command: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path = field(default_factory=Path.cwd)


def cpu_seconds(child: Child) -> float:
    """User and system time of one run, by the kernel's account of that very process. Raises BenchmarkError."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603
            list(child.command), env=dict(child.environment), stdout=output, stderr=output, cwd=child.cwd
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")[-3000:]
            raise BenchmarkError(f"{' '.join(child.command[-2:])} ended with {process.returncode}:\n{said}")
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True)
class Figures:
    """What each thing cost in each round, in the same order."""

    rounds: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, against: str) -> float:
        """The median over rounds of the round's own ratio: a slow moment hits both sides of one round."""
        pairs = zip(self.rounds[name], self.rounds[against], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def spread(self, name: str, against: str) -> float:
        """Half the interquartile range of the rounds' ratios."""
        ratios = [a / b for a, b in zip(self.rounds[name], self.rounds[against], strict=True)]
        if len(ratios) < 3:
            return 0.0
        low, _, high = statistics.quantiles(ratios, n=4)
        return (high - low) / 2


def interleaved(measures: Mapping[str, Callable[[], float]], rounds: int) -> Figures:
    """Every measure once a round, after one round that only warms up the disk."""
    figures: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            cost = measure()
            if number:
                figures[name].append(cost)
    return Figures(figures)
