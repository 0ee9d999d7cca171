"""Is the new version worse than the one beside it? Pure statistics on counts and latencies of both.

    judge_counts(control, canary, plan, gate=k)     at gate k of a step of the ramp: PASS or FAIL or not yet
    watch_counts(minutes, plan)                     every minute of the ramp: FAIL at once, never PASS
    judge_latency(control, canary, plan, gate=k)    per-minute latencies at a gate
    together(rulings)                               the worst of them is the verdict
    next_step(...)                                  what to do where there is too little traffic

docs/judging.md says what each may be relied on for, with figures.
"""

from selfright.domain.canary.verdict import (
    Counts,
    CountsRuling,
    LatencyRuling,
    Minute,
    NextStep,
    Plan,
    Ruling,
    Verdict,
    WatchRuling,
)

__all__ = [
    "Counts",
    "CountsRuling",
    "LatencyRuling",
    "Minute",
    "NextStep",
    "Plan",
    "Ruling",
    "Verdict",
    "WatchRuling",
]
