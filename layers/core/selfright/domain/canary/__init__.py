"""Is the new version worse than the one beside it? Pure statistics on errors and latencies of both.

    watch_counts(minutes, plan)                         every minute of the ramp: FAIL at once, never PASS
    judge_counts(control, canary, plan, gate=k)         at the k-th look at a gate, on the counts of this step
    judge_latency(control, canary, plan, gate=k)        the same on per-minute latencies
    judge_level(canary, plan, gate=k)                   where no control is left: against the service level alone
    together(rulings)                                   the worst of them is the verdict
    next_step(ruling, traffic)                          where it is INCONCLUSIVE or ERROR

docs/judging.md says how far each may be relied on, with figures.
"""

from selfright.domain.canary.conclusion import NextStep, Traffic, next_step, together
from selfright.domain.canary.counts import fewest_calls, fisher_exact, judge_counts, judge_level
from selfright.domain.canary.latency import FEWEST_POINTS, hodges_lehmann, judge_latency, mann_whitney
from selfright.domain.canary.verdict import (
    Counts,
    CountsRuling,
    LatencyPoint,
    LatencyRuling,
    Minute,
    Plan,
    Ruling,
    Verdict,
    WatchRuling,
)
from selfright.domain.canary.watch import BLOCK, ODDS_RATIOS, log_e_values, watch_counts

__all__ = [
    "BLOCK",
    "FEWEST_POINTS",
    "ODDS_RATIOS",
    "Counts",
    "CountsRuling",
    "LatencyPoint",
    "LatencyRuling",
    "Minute",
    "NextStep",
    "Plan",
    "Ruling",
    "Traffic",
    "Verdict",
    "WatchRuling",
    "fewest_calls",
    "fisher_exact",
    "hodges_lehmann",
    "judge_counts",
    "judge_latency",
    "judge_level",
    "log_e_values",
    "mann_whitney",
    "next_step",
    "together",
    "watch_counts",
]
