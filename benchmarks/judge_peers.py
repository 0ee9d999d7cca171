"""The child of benchmarks/judge.py, in NumPy: releases drawn by dice, and when the other methods roll them back.

Reads one JSON list of cells. For each it writes a line of JSON, {method: [minute or 0, ...]}, and then the draws
themselves as int32: runs x minutes x (control calls, control errors, canary calls, canary errors), or as float64 for
latencies: runs x minutes x (control, canary), NaN in a minute without calls.

Methods, each in its own words:
alarm       AWS SAM's sample of a deployment alarm: Errors of the new version > 0, in two periods of a minute
repeated    Fisher's exact test at 1 % every minute on all counts so far, as if each look were the only one
kayenta     Kayenta's judge with its defaults on per-minute values, at each gate on all minutes so far. From its
            published sources: the 98 % confidence interval of the shift by Mann-Whitney (normal, tie-corrected)
            lies above a quarter of its Hodges-Lehmann estimate, and the ratio of means is 1 or more
gates       Fisher's exact test at the three gates only, on the counts of the step, 1 % over three
minutes     Fisher's exact test every minute on all counts so far, 1 % over the sixty looks
plug-in     the e-process of Turner, Ly and Grünwald with two beta priors (0.18, 0.18), every minute, at 1 / 1 %
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np  # type: ignore[import-not-found,unused-ignore]

ALPHA = 0.01
Z98 = 2.3263478740408408  # the normal quantile of 99 %: a two-sided interval of 98 %
TOLERANCE = 0.25
KAYENTA_RUNS = 4000
LOG_FACTORIAL = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 200_001)))])


def main() -> None:
    for number, cell in enumerate(json.load(sys.stdin)):
        dice = np.random.default_rng([cell["seed"], number])
        weights = np.repeat(cell["weights"], cell["step"])
        calls = dice.poisson(cell["calls"], (cell["runs"], len(weights)))
        new = dice.binomial(calls, np.broadcast_to(weights, calls.shape))
        old = calls - new
        gates = np.arange(cell["step"], len(weights) + 1, cell["step"])
        if cell["slower"] is not None:
            draws, found = latencies(dice, cell, old, new, gates)
        else:
            draws, found = errors(dice, cell, old, new, gates)
        told = {method: minutes.tolist() for method, minutes in found.items()}
        sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + draws.tobytes())


def errors(dice: Any, cell: Any, old: Any, new: Any, gates: Any) -> tuple[Any, dict[str, Any]]:
    """Calls fail in bursts on one version; the live version's rate goes from base to base_end in a straight line."""
    burst = cell["burst"]
    base = np.linspace(cell["base"], cell["base_end"], old.shape[1])
    rate = base if cell["rate"] is None else np.full(old.shape[1], cell["rate"])
    old_bad = burst * dice.binomial(old // burst, np.broadcast_to(base, old.shape))
    new_bad = burst * dice.binomial(new // burst, np.broadcast_to(rate, new.shape))
    p_so_far = fisher(*(np.cumsum(a, axis=1) for a in (old, old_bad, new, new_bad)))
    failing = new_bad > 0
    twice = np.zeros_like(failing)
    twice[:, 1:] = failing[:, 1:] & failing[:, :-1]
    per_step = [a.reshape(a.shape[0], len(gates), -1).sum(axis=2) for a in (old, old_bad, new, new_bad)]
    with np.errstate(invalid="ignore"):
        rates = old_bad / old, new_bad / new
    found = {
        "alarm": first(twice),
        "repeated": first(p_so_far <= ALPHA),
        "kayenta": kayenta(*rates, gates),
        "gates": at_gates(fisher(*per_step) <= ALPHA / len(gates), gates),
        "minutes": first(p_so_far <= ALPHA / old.shape[1]),
        "plug-in": first(plug_in(old, old_bad, new, new_bad) >= -np.log(ALPHA)),
    }
    return np.stack([old, old_bad, new, new_bad], axis=2).astype(np.int32), found


def latencies(dice: Any, cell: Any, old: Any, new: Any, gates: Any) -> tuple[Any, dict[str, Any]]:
    """Medians of each minute's calls. One call is log-logistic around 200 ms; minutes are busy or not for both."""
    busy = np.exp(dice.normal(0, 0.1, old.shape))

    def medians(calls: Any, factor: float) -> Any:
        half = (calls + 1) / 2  # the middle one of n uniform values is Beta((n + 1) / 2, (n + 1) / 2)
        place = np.clip(dice.beta(half, half), 1e-12, 1 - 1e-12)
        return np.where(calls > 0, 200 * factor * busy * (place / (1 - place)) ** 0.25, np.nan)

    values = medians(old, 1.0), medians(new, cell["slower"])
    return np.stack(values, axis=2), {"kayenta": kayenta(*values, gates)}


def first(hits: Any) -> Any:
    """The first minute, from 1, in which it hits; 0 for never."""
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)


def at_gates(hits: Any, gates: Any) -> Any:
    which = first(hits)
    return np.where(which > 0, gates[which - 1], 0)


def fisher(old: Any, old_bad: Any, new: Any, new_bad: Any) -> Any:
    """P(at least new_bad of all errors fall on the canary), one-sided, term by term until none counts any more."""
    log = LOG_FACTORIAL
    bad, rest = old_bad + new_bad, old - old_bad
    total = old + new
    term = np.exp(
        log[new] + log[old] + log[bad] + log[total - bad] - log[total]
        - log[new_bad] - log[new - new_bad] - log[old_bad] - log[rest]
    )  # fmt: skip
    tail, k = term.copy(), new_bad.astype(float)
    while (term > 1e-16).any():
        term = term * np.maximum((new - k) * (bad - k), 0) / ((k + 1) * (old - bad + k + 1))
        tail += term
        k += 1
    return np.minimum(tail, 1.0)


def plug_in(old: Any, old_bad: Any, new: Any, new_bad: Any) -> Any:
    """Log e-values after each minute: the predictive means of both sides against their mean by calls, one-sided."""
    prior = 0.18

    def predicted(calls: Any, bad: Any) -> Any:
        before = [np.cumsum(a, axis=1) - a for a in (calls, bad)]
        return (before[1] + prior) / (before[0] + 2 * prior)

    a, b = predicted(old, old_bad), predicted(new, new_bad)
    pooled = (old * a + new * b) / np.maximum(old + new, 1)
    pooled = np.where(old + new > 0, pooled, 0.5)
    gain = (
        old_bad * np.log(a / pooled) + (old - old_bad) * np.log((1 - a) / (1 - pooled))
        + new_bad * np.log(b / pooled) + (new - new_bad) * np.log((1 - b) / (1 - pooled))
    )  # fmt: skip
    return np.cumsum(np.where(b > a, gain, 0.0), axis=1)


def kayenta(old: Any, new: Any, gates: Any) -> Any:
    runs = min(len(old), KAYENTA_RUNS)
    hits = [[_kayenta_high(old[run, :gate], new[run, :gate]) for gate in gates] for run in range(runs)]
    return at_gates(np.array(hits), gates)


def _kayenta_high(old: Any, new: Any) -> bool:
    old, new = old[~np.isnan(old)], new[~np.isnan(new)]
    if not len(old) or not len(new) or new.mean() <= old.mean():
        return False
    shift = np.median(new[:, None] - old[None, :])
    moved = new - TOLERANCE * abs(shift)
    n, m = len(new), len(old)
    _, tied = np.unique(np.concatenate([moved, old]), return_counts=True)
    won = (moved[:, None] > old[None, :]).sum() + 0.5 * (moved[:, None] == old[None, :]).sum()
    variance = n * m / 12 * (n + m + 1 - (tied**3 - tied).sum() / ((n + m) * (n + m - 1)))
    return bool(variance > 0 and (won - n * m / 2 - 0.5) / np.sqrt(variance) > Z98)


main()
