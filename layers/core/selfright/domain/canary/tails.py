"""Exact tails of two discrete distributions, without SciPy: it would cost a cold start a second.

Weights are taken relative to the mode, where the weight is 1, by the ratio of neighbours. No factorial is ever
computed, so a relative error of about 1e-16 per step is all there is, at a thousand calls and at a hundred million.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import accumulate

NEGLIGIBLE = 1e-18  # of what is summed already: below the precision of a float
SMALLEST = sys.float_info.min  # where x is further out than this, its tail is 0


def hypergeometric_tail(x: int, *, marked: int, drawn: int, total: int) -> float:
    """P(X >= x), where `drawn` of `total` are drawn at random and X of the `marked` ones are among them."""
    low, high = _support(marked, drawn, total)
    mode = (drawn + 1) * (marked + 1) // (total + 2)
    rest = total - marked - drawn

    def ratio(k: int) -> float:
        return (marked - k) * (drawn - k) / ((k + 1) * (rest + k + 1))

    return _upper(x, low, high, min(max(mode, low), high), ratio)


def binomial_tail(x: int, *, trials: int, chance: float) -> float:
    """P(X >= x) of a binomial distribution; 0 < chance < 1."""
    odds = chance / (1 - chance)
    mode = min(int((trials + 1) * chance), trials)
    return _upper(x, 0, trials, mode, lambda k: (trials - k) / (k + 1) * odds)


def hypergeometric_log_weights(*, marked: int, drawn: int, total: int) -> tuple[int, list[float]]:
    """The smallest possible X, and the logarithms of the weights of every possible X, up to one constant."""
    low, high = _support(marked, drawn, total)
    rest = total - marked - drawn
    ratios = (math.log((marked - k) * (drawn - k) / ((k + 1) * (rest + k + 1))) for k in range(low, high))
    return low, list(accumulate(ratios, initial=0.0))


def _support(marked: int, drawn: int, total: int) -> tuple[int, int]:
    return max(0, marked + drawn - total), min(marked, drawn)


def _upper(x: int, low: int, high: int, mode: int, ratio: Callable[[int], float]) -> float:
    """Weight at and above x over all weight; `ratio(k)` is the weight of k + 1 over that of k."""
    if x <= low:
        return 1.0
    if x > high:
        return 0.0
    everything = 1.0
    tail = 1.0 if mode >= x else 0.0
    weight = 1.0
    for k in range(mode, high):
        weight *= ratio(k)
        everything += weight
        if k + 1 >= x:
            tail += weight
        if weight <= max(NEGLIGIBLE * tail, SMALLEST):
            break
    weight = 1.0
    for k in range(mode - 1, low - 1, -1):
        weight /= ratio(k)
        everything += weight
        if k >= x:
            tail += weight
        if weight <= NEGLIGIBLE * everything:
            break
    return min(tail / everything, 1.0)
