"""Does the new version fail more often than the one beside it, or than it may?"""

from __future__ import annotations

import math

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
    threshold, n_min = plan.alpha / plan.gates, fewest_calls(plan.max_error_rate)

    def ruling(verdict: Verdict, reason: str, p_value: float | None = None) -> CountsRuling:
        return CountsRuling(
            verdict=verdict,
            reason=reason,
            p_value=p_value,
            threshold=threshold,
            n_min=n_min,
            control=control,
            canary=canary,
            plan=plan,
            gate=gate,
        )

    if control is None or canary is None:
        return ruling(
            Verdict.ERROR, f"the counts of {'control' if control is None else 'canary'} are unknown"
        )
    if not 1 <= gate <= plan.gates:
        return ruling(
            Verdict.ERROR, f"gate {gate} is none of the {plan.gates} planned: no alpha is left for it"
        )
    p_value = fisher_exact(control, canary)
    seen = f"canary {canary} against control {control}"
    if p_value <= threshold:
        return ruling(Verdict.FAIL, f"{seen}: more errors than chance explains", p_value)
    level = judge_level(canary, plan, gate=gate)
    if level.verdict is Verdict.FAIL and control.rate <= plan.max_error_rate:
        return ruling(Verdict.FAIL, f"{level.reason}, and control {control} does not", p_value)
    if few := [f"{n} calls of {name}" for n, name in _few(control, canary, n_min)]:
        return ruling(Verdict.INCONCLUSIVE, f"{' and '.join(few)}: fewer than {n_min}", p_value)
    if level.verdict is not Verdict.PASS or control.rate > plan.max_error_rate:
        return ruling(Verdict.INCONCLUSIVE, f"{seen}: above {plan.max_error_rate:.2%}", p_value)
    return ruling(Verdict.PASS, f"{seen}: no worse than chance explains", p_value)


def judge_level(canary: Counts | None, plan: Plan, *, gate: int) -> CountsRuling:
    """The absolute guard: does the canary fail more often than `max_error_rate`? All there is at full weight.

    Exact binomial test of "it fails at most so often", at its own share of alpha.
    """
    threshold, n_min = plan.alpha_level / plan.gates, fewest_calls(plan.max_error_rate)
    p_value = None
    if canary is None:
        verdict, reason = Verdict.ERROR, "the counts of canary are unknown"
    elif not 1 <= gate <= plan.gates:
        verdict, reason = (
            Verdict.ERROR,
            f"gate {gate} is none of the {plan.gates} planned: no alpha is left for it",
        )
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
