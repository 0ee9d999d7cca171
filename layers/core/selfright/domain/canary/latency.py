"""Is the new version slower than the one beside it, by more than matters?"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from selfright.domain.canary.verdict import LatencyPoint, LatencyRuling, Plan, Verdict

FEWEST_POINTS = 20  # a side; with two against two the test is wrong one time in five
EXACT_UP_TO = 8  # points of the smaller side; SciPy's rule for its own exact null


def judge_latency(
    control: Sequence[LatencyPoint], canary: Sequence[LatencyPoint], plan: Plan, *, gate: int
) -> LatencyRuling:
    """The verdict on per-minute latencies at look number `gate` of `plan.gates`, without minutes of cold starts.

    All minutes since the canary's first call: each has one point of either side, whatever the weight. Medians (p50)
    compare fairly between many calls and few; a p95 of few calls is lower than one of many. FAIL needs both: a
    shift that chance does not explain, and one that is large enough to matter.
    """
    threshold = plan.alpha_latency / plan.gates
    old, new = ([p.value for p in side if not p.cold_start] for side in (control, canary))
    p_value = shift = floor = None
    if absurd := [v for v in (*old, *new) if not math.isfinite(v) or v < 0]:
        verdict, reason = Verdict.ERROR, f"a latency of {absurd[0]}"
    elif unplanned := plan.unplanned(gate):
        verdict, reason = Verdict.ERROR, unplanned
    elif not old or not new:
        verdict, reason = Verdict.INCONCLUSIVE, f"no latency of {'control' if not old else 'canary'}"
    else:
        p_value, shift = mann_whitney(old, new), hodges_lehmann(old, new)
        floor = plan.latency_floor * statistics.median(old)
        told = f"slower by {shift:.4g}, p = {p_value:.2g}"
        if min(len(old), len(new)) < FEWEST_POINTS:
            verdict = Verdict.INCONCLUSIVE
            reason = (
                f"{len(old)} minutes of control and {len(new)} of canary: fewer than {FEWEST_POINTS} a side"
            )
        elif p_value > threshold:
            verdict, reason = Verdict.PASS, f"{told}: no slower than chance explains"
        elif shift < floor:
            verdict, reason = Verdict.PASS, f"{told}: less than {floor:.4g}, which does not matter"
        else:
            verdict, reason = Verdict.FAIL, f"{told}: more than chance explains, and more than {floor:.4g}"
    return LatencyRuling(
        verdict=verdict,
        reason=reason,
        p_value=p_value,
        threshold=threshold,
        n_min=FEWEST_POINTS,
        shift=shift,
        floor=floor,
        control=tuple(control),
        canary=tuple(canary),
        plan=plan,
        gate=gate,
    )


def mann_whitney(control: Sequence[float], canary: Sequence[float]) -> float:
    """One-sided p-value of "the canary is not slower", by ranks: no assumption about the shape of latencies.

    H. B. Mann, D. R. Whitney, Ann. Math. Stat. 18 (1947) 50. The exact null where the smaller side has up to
    EXACT_UP_TO points and no two are equal, else the normal one with corrections for ties and continuity.
    """
    n, m = len(canary), len(control)
    seen = Counter((*control, *canary))
    u = _pairs_won(control, canary)
    if len(seen) == n + m and min(n, m) <= EXACT_UP_TO:
        return _exact_tail(round(u), n, m)
    total = n + m
    tied = sum(t**3 - t for t in seen.values())
    variance = n * m / 12 * (total + 1 - tied / (total * (total - 1)))
    if variance <= 0:  # every value is the same
        return 1.0
    z = (u - n * m / 2 - 0.5) / math.sqrt(variance)
    return min(0.5 * math.erfc(z / math.sqrt(2)), 1.0)


def hodges_lehmann(control: Sequence[float], canary: Sequence[float]) -> float:
    """By how much the canary is slower: the median of all differences, which one wild minute cannot move."""
    return statistics.median(new - old for new in canary for old in control)


def _pairs_won(control: Sequence[float], canary: Sequence[float]) -> float:
    """Pairs in which the canary is slower; equal ones count half."""
    old = sorted(control)
    return sum(bisect_left(old, new) + bisect_right(old, new) for new in canary) / 2


def _exact_tail(u: int, n: int, m: int) -> float:
    """P(U >= u): of all orders of n and m values, in how many at least u pairs are won.

    The generating function of U is the Gaussian binomial coefficient: the product over i = 1..n of
    (1 - q^(m+i)) / (1 - q^i). By symmetry n is the smaller side.
    """
    n, m = sorted((n, m))
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for k in range(n * m, m + i - 1, -1):
            ways[k] -= ways[k - m - i]
        for k in range(i, n * m + 1):
            ways[k] += ways[k - i]
    return sum(ways[u:]) / math.comb(n + m, n)
