"""Evidence between gates that may be looked at every minute and acted on at once: an e-process.

Each block of calls is a 2x2 table: errors and successes of canary and control. Given how many failed in all, their
split is hypergeometric if both are equally good, whatever the error rate. The likelihood of the split at some odds
ratio, over that at 1, is an e-variable: its mean is 1 for an equally good canary, and less for a better one. The
product over blocks is a test martingale for each odds ratio, and so is their mean over the odds ratios below. By
Ville's inequality it ever reaches 1/alpha with a probability of at most alpha, however often one looks.

R. J. Turner, A. Ly, P. D. Grünwald, Generic E-variables for exact sequential k-sample tests that allow for optional
stopping, J. Stat. Plan. Inference 230 (2024) 106116, in its conditional form with a prior on the odds ratio, as in
their R package safestats. docs/decisions/0010 compares it with their plug-in of two beta priors.

As every block is compared within itself only, an error rate that drifts between blocks changes nothing. A block is a
minute, or as many minutes of one step as it takes to BLOCK calls: in a minute with two calls, one failure
tells nothing about whose it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from selfright.domain.canary.tails import hypergeometric_log_weights
from selfright.domain.canary.verdict import Minute, Plan, Verdict, WatchRuling

# How many times worse the odds of a failure may have become, from a flaw in a corner to a release that cannot start,
# and the prior on it. The smallest takes longest to see and has the most to lose by a small share.
ODDS_RATIOS = {2.0: 0.2, 4.0: 0.16, 10.0: 0.16, 30.0: 0.16, 100.0: 0.16, 1000.0: 0.16}
BLOCK = 20  # calls of both versions
_LOG_ODDS = [math.log(ratio) for ratio in ODDS_RATIOS]


def watch_counts(minutes: Sequence[Minute], plan: Plan) -> WatchRuling:
    """FAIL once the evidence against the canary reached 1 / alpha_watch, whatever came after it.

    `minutes`: every minute since the first call went to the canary, in order, each of them final.
    """
    threshold = 1 / plan.alpha_watch
    log_e = max(log_e_values(minutes), default=0.0)
    failed = log_e >= math.log(threshold)
    e_value = math.exp(min(log_e, 700.0))  # beyond it a float overflows
    calls = sum(m.canary.invocations for m in minutes)
    told = f"e-value {e_value:.3g} of {threshold:.3g} after {calls} calls of canary"
    return WatchRuling(
        verdict=Verdict.FAIL if failed else Verdict.INCONCLUSIVE,
        reason=f"{told}: {'more errors than chance explains' if failed else 'not enough against it'}",
        e_value=e_value,
        threshold=threshold,
        minutes=tuple(minutes),
        plan=plan,
    )


def log_e_values(minutes: Iterable[Minute]) -> Iterator[float]:
    """The logarithm of the e-value after each minute."""
    logs = [math.log(share) for share in ODDS_RATIOS.values()]
    value = 0.0
    step: int | None = None
    open_block = _NOTHING
    for minute in minutes:
        closed = []
        if minute.step != step:
            closed.append(open_block)
            step, open_block = minute.step, _NOTHING
        open_block = open_block.grown(minute)
        if open_block.calls >= BLOCK:
            closed.append(open_block)
            open_block = _NOTHING
        for block in closed:
            if block.errors and 0 < block.canary_calls < block.calls:
                logs = [log + gain for log, gain in zip(logs, _gains(block), strict=True)]
                value = _log_sum_exp(logs)
        yield value


class _Block(NamedTuple):
    """One 2x2 table. When it ends, numbers of calls decide, never their outcomes."""

    errors: int
    calls: int
    canary_errors: int
    canary_calls: int

    def grown(self, minute: Minute) -> _Block:
        control, canary = minute.control, minute.canary
        return _Block(
            self.errors + control.errors + canary.errors,
            self.calls + control.invocations + canary.invocations,
            self.canary_errors + canary.errors,
            self.canary_calls + canary.invocations,
        )


_NOTHING = _Block(0, 0, 0, 0)


def _gains(block: _Block) -> Iterator[float]:
    """For each odds ratio: log of the likelihood of the canary's errors over that at odds ratio 1."""
    low, weights = hypergeometric_log_weights(
        marked=block.errors, drawn=block.canary_calls, total=block.calls
    )
    base = _log_sum_exp(weights)
    for log_odds in _LOG_ODDS:
        tilted = [weight + k * log_odds for k, weight in enumerate(weights, low)]
        yield block.canary_errors * log_odds + base - _log_sum_exp(tilted)


def _log_sum_exp(logs: Sequence[float]) -> float:
    largest = max(logs)
    return largest + math.log(sum(math.exp(log - largest) for log in logs))
