"""Does the new version fail more often than the one beside it, or than it may?"""

from __future__ import annotations

import math
from functools import partial

from selfright.domain.canary.tails import binomial_tail, hypergeometric_tail
from selfright.domain.canary.verdict import Counts, CountsRuling, Plan, Verdict

MISSED = 0.05  # how often a version that fails at `max_error_rate` may still show no error in n_min calls


def fewest_calls(max_error_rate: float) -> int:
    """n_min: calls after which a version at `max_error_rate` has shown an error with a probability of 95 %.

    ⌈ln 0.05 ÷ ln(1 - p)⌉, the exact form of the rule of three: 59 calls at 5 %, 299 at 1 %.
    """
    return math.ceil(math.log(MISSED) / math.log1p(-max_error_rate))


def fisher_exact(control: Counts, canary: Counts) -> float:
    """One-sided p-value of "the canary fails no more often": at least so many of all errors in its calls by chance.

    R. A. Fisher, The Design of Experiments (1935), on the table of errors and successes of both. It is exact
    for any base rate, as it never enters; 1.0 where nothing failed or one side had no call.
    """
    return hypergeometric_tail(
        canary.errors,
        marked=control.errors + canary.errors,
        drawn=canary.invocations,
        total=control.invocations + canary.invocations,
    )


def judge_counts(control: Counts | None, canary: Counts | None, plan: Plan, *, gate: int) -> CountsRuling:
    """The verdict at look number `gate` of `plan.gates`, on the counts since this step of the ramp began.

    Counts of one step only: the weight is constant in it, so both versions live through the same hours. None
    stands for what could not be read. FAIL needs no least number of calls, PASS does, of both versions.
    """
    n_min = fewest_calls(plan.max_error_rate)
    ruling = partial(
        CountsRuling,
        p_value=None,
        threshold=plan.alpha / plan.gates,
        n_min=n_min,
        control=control,
        canary=canary,
        plan=plan,
        gate=gate,
    )
    if control is None or canary is None:
        unread = "control" if control is None else "canary"
        return ruling(verdict=Verdict.ERROR, reason=f"the counts of {unread} are unknown")
    if unplanned := plan.unplanned(gate):
        return ruling(verdict=Verdict.ERROR, reason=unplanned)
    p_value = fisher_exact(control, canary)
    level = judge_level(canary, plan, gate=gate)
    seen = f"canary {canary} against control {control}"
    if p_value <= plan.alpha / plan.gates:
        verdict, reason = Verdict.FAIL, f"{seen}: more errors than chance explains"
    elif level.verdict is Verdict.FAIL and control.errors <= plan.max_error_rate * control.invocations:
        verdict, reason = Verdict.FAIL, f"{level.reason}, control {control} does not"
    elif few := [f"{n} calls of {name}" for n, name in _few(control, canary, n_min)]:
        verdict, reason = Verdict.INCONCLUSIVE, f"{' and '.join(few)}: fewer than {n_min}"
    elif level.verdict is not Verdict.PASS or control.rate > plan.max_error_rate:
        verdict, reason = Verdict.INCONCLUSIVE, f"{seen}: above {plan.max_error_rate:.2%}"
    else:
        verdict, reason = Verdict.PASS, f"{seen}: no worse than chance explains"
    return ruling(verdict=verdict, reason=reason, p_value=p_value)


def judge_level(canary: Counts | None, plan: Plan, *, gate: int) -> CountsRuling:
    """The absolute guard: does the canary fail more often than `max_error_rate`? All there is at full weight.

    Exact binomial test of "it fails at most so often", at its own share of alpha.
    """
    threshold, n_min = plan.alpha_level / plan.gates, fewest_calls(plan.max_error_rate)
    p_value = None
    if canary is None:
        verdict, reason = Verdict.ERROR, "the counts of canary are unknown"
    elif unplanned := plan.unplanned(gate):
        verdict, reason = Verdict.ERROR, unplanned
    else:
        p_value = binomial_tail(canary.errors, trials=canary.invocations, chance=plan.max_error_rate)
        verdict, reason = _level(canary, plan.max_error_rate, n_min, p_value <= threshold)
    return CountsRuling(
        verdict=verdict,
        reason=reason,
        p_value=p_value,
        threshold=threshold,
        n_min=n_min,
        control=None,
        canary=canary,
        plan=plan,
        gate=gate,
    )


def _level(canary: Counts, limit: float, n_min: int, beyond: bool) -> tuple[Verdict, str]:
    if beyond:
        return Verdict.FAIL, f"canary {canary} fails more often than {limit:.2%}"
    if canary.invocations < n_min:
        return Verdict.INCONCLUSIVE, f"{canary.invocations} calls of canary: fewer than {n_min}"
    if canary.rate > limit:
        return Verdict.INCONCLUSIVE, f"canary {canary}: above {limit:.2%}, though chance may explain it"
    return Verdict.PASS, f"canary {canary}: within {limit:.2%}"


def _few(control: Counts, canary: Counts, n_min: int) -> list[tuple[int, str]]:
    sides = ((canary.invocations, "canary"), (control.invocations, "control"))
    return [(calls, name) for calls, name in sides if calls < n_min]
