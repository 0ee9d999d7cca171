"""The tables of docs/judging.md, and the two figures of the benchmark, from the outcomes of benchmarks/judge.py."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PAGE = Path(__file__).parent.parent / "docs" / "judging.md"
OURS = "ours"
METHODS = ("alarm", "repeated", "kayenta", "gates", "minutes", "plug-in")
NO_SLOWER = 1.01  # of latencies: a shift that is there and does not matter


class _Cell(Protocol):
    @property
    def calls(self) -> int: ...
    @property
    def runs(self) -> int: ...
    @property
    def base(self) -> float: ...
    @property
    def base_end(self) -> float: ...
    @property
    def rate(self) -> float | None: ...
    @property
    def slower(self) -> float | None: ...
    @property
    def service_level(self) -> float: ...


class Played(Protocol):
    """One kind of release, played many times by all methods."""

    @property
    def cell(self) -> _Cell: ...
    @property
    def promoted(self) -> int: ...
    def share(self, method: str) -> float: ...
    def minutes(self, method: str) -> float: ...


@dataclass(frozen=True)
class Findings:
    """`worst` and `ratio` are of the worst cells; `minutes` is the mean over all cells of bad releases."""

    worst: float
    worst_note: str
    minutes: float
    ratio: float
    rival: str
    detection_note: str
    tables: str


def page(
    healthy: Sequence[Played],
    bad: Sequence[Played],
    slow: Sequence[Played],
    bursts: Sequence[Played],
    goal: float,
) -> Findings:
    """Everything there is to say about these outcomes. `goal`: the share of healthy releases that may be lost.

    `bursts` break an assumption of all methods and are shown, not judged.
    """
    keepers = [method for method in METHODS if max(cell.share(method) for cell in healthy) <= goal]
    ratios = [played.minutes(OURS) / _best(played, keepers) for played in bad]
    counts = max(healthy, key=lambda played: played.share(OURS))
    latency = max((p for p in slow if _healthy(p)), key=lambda played: played.share(OURS))
    lucky = _lucky(healthy, bad, keepers, goal)
    return Findings(
        worst=counts.share(OURS) + latency.share(OURS),
        worst_note=(
            f"worst of {len(healthy)} cells on errors {counts.share(OURS):.2%}, on latency {latency.share(OURS):.2%}"
        ),
        minutes=statistics.fmean(played.minutes(OURS) for played in bad),
        ratio=max(ratios),
        rival=f"best that keeps 1 % everywhere: {', '.join(keepers)}",
        detection_note=(
            f"worst of {len(bad)} cells; mean of all {statistics.fmean(ratios):.2f}; value: mean minutes of exposure"
        ),
        tables="\n\n".join(
            (
                "### Healthy releases rolled back",
                _healthy_table(healthy),
                "### Minutes that a bad release serves",
                f"Ours · the best of those that keep {goal:.0%} in every row above: {', '.join(keepers)}.",
                _bad_table(bad, keepers, {(p.cell.base, p.cell.rate, p.cell.calls) for p, _ in lucky}),
                _lucky_text(lucky, goal),
                _missed_text(bad),
                "### Slower releases rolled back",
                "Share rolled back, minutes served: ours · kayenta.",
                _slow_table(slow),
                "### Healthy releases rolled back, if failures come in threes on one version",
                _healthy_table(bursts),
            )
        ),
    )


def _best(played: Played, methods: Sequence[str]) -> float:
    return min(played.minutes(method) for method in methods)


def _healthy(played: Played) -> bool:
    return played.cell.slower is not None and played.cell.slower <= NO_SLOWER


def _lucky(
    healthy: Sequence[Played], bad: Sequence[Played], keepers: Sequence[str], goal: float
) -> list[tuple[Played, str]]:
    """Cells where a method is faster that keeps the goal at this base rate and traffic, though not at others."""
    twins = {(p.cell.base, p.cell.calls): p for p in healthy if p.cell.base == p.cell.base_end}
    found = []
    for played in bad:
        twin = twins[played.cell.base, played.cell.calls]
        keep_here = [m for m in METHODS if m not in keepers and twin.share(m) <= goal]
        if keep_here:
            best = min(keep_here, key=played.minutes)
            if played.minutes(best) < played.minutes(OURS):
                found.append((played, best))
    return found


def _healthy_table(healthy: Sequence[Played]) -> str:
    heads = ("failing calls", "calls a minute", OURS, *METHODS, "ours lets through")
    lines = [_row(*heads), _rule(len(heads))]
    for played in healthy:
        cell = played.cell
        base = f"{cell.base:.1%}" if cell.base == cell.base_end else f"{cell.base:.1%} to {cell.base_end:.1%}"
        shares = (f"{played.share(method):.2%}" for method in (OURS, *METHODS))
        lines.append(_row(base, str(cell.calls), *shares, f"{played.promoted / cell.runs:.0%}"))
    return "\n".join(lines)


def _bad_table(
    bad: Sequence[Played], keepers: Sequence[str], starred: set[tuple[float, float | None, int]]
) -> str:
    calls = sorted({played.cell.calls for played in bad})
    lines = [_row("live → new; calls a minute:", *map(str, calls)), _rule(len(calls) + 1)]
    kinds: dict[tuple[float, float], list[str]] = {}
    for played in bad:
        cell = played.cell
        star = "*" if (cell.base, cell.rate, cell.calls) in starred else ""
        text = f"{played.minutes(OURS):.1f} · {_best(played, keepers):.1f}{star}"
        kinds.setdefault((cell.base, cell.rate or 0.0), []).append(text)
    lines += [_row(f"{base:.1%} → {rate:.0%}", *texts) for (base, rate), texts in kinds.items()]
    return "\n".join(lines)


def _lucky_text(lucky: Sequence[tuple[Played, str]], goal: float) -> str:
    if not lucky:
        return "No method that keeps the goal at one base rate and traffic only is faster there."
    worst, method = max(lucky, key=lambda pair: pair[0].minutes(OURS) / pair[0].minutes(pair[1]))
    cell = worst.cell
    return (
        f"In {len(lucky)} cells (*) a method is faster that loses at most {goal:.0%} of healthy releases at that base "
        f"rate and traffic, though not at others: {', '.join(sorted({m for _, m in lucky}))}. The most at "
        f"{cell.calls} calls a minute, {cell.base:.1%} → {cell.rate or 0.0:.0%}: {method} {worst.minutes(method):.1f} "
        f"minutes, ours {worst.minutes(OURS):.1f}. Nobody knows beforehand in which cell a release is."
    )


def _missed_text(bad: Sequence[Played]) -> str:
    """How often ours promotes a bad release: where it is within the service level and hard to see."""
    told = []
    for kind, above in (("above", True), ("within", False)):
        some = [p for p in bad if ((p.cell.rate or 0.0) > p.cell.service_level) is above]
        worst = max(some, key=lambda played: played.promoted)
        cell = worst.cell
        where = f" ({cell.base:.1%} → {cell.rate or 0.0:.0%} at {cell.calls} calls a minute)"
        told.append(
            f"{kind} the service level {worst.promoted / cell.runs:.1%}{where if worst.promoted else ''}"
        )
    return f"Let through by ours although they are worse, at most: {', '.join(told)}."


def _slow_table(slow: Sequence[Played]) -> str:
    calls = sorted({played.cell.calls for played in slow})
    lines = [_row("slower by; calls a minute:", *map(str, calls)), _rule(len(calls) + 1)]
    kinds: dict[float, list[str]] = {}
    for played in slow:
        texts = (f"{played.share(m):.2%} {played.minutes(m):.0f} min" for m in (OURS, "kayenta"))
        kinds.setdefault((played.cell.slower or 1.0) - 1, []).append(" · ".join(texts))
    lines += [_row(f"{by:.0%}", *texts) for by, texts in kinds.items()]
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return _row(*["---"] * columns)
