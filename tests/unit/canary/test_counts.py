"""Errors of the canary against the control, and against the service level."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from selfright.domain.canary import (
    Counts,
    Plan,
    Verdict,
    fewest_calls,
    fisher_exact,
    judge_counts,
    judge_level,
)
from selfright.domain.canary.tails import binomial_tail, hypergeometric_tail

PLAN = Plan(gates=5, alpha=0.01)


def counts(errors: int, invocations: int) -> Counts:
    return Counts(errors=errors, invocations=invocations)


@st.composite
def any_counts(draw: st.DrawFn, most: int = 400) -> Counts:
    invocations = draw(st.integers(0, most))
    return counts(draw(st.integers(0, invocations)), invocations)


@st.composite
def few_errors(draw: st.DrawFn) -> Counts:
    invocations = draw(st.integers(0, 2000))
    return counts(min(draw(st.integers(0, 10)), invocations), invocations)


def exactly(control: Counts, canary: Counts) -> Fraction:
    """Fisher's p-value in whole numbers."""
    bad = control.errors + canary.errors
    total = control.invocations + canary.invocations
    ways = sum(
        comb(bad, k) * comb(total - bad, canary.invocations - k)
        for k in range(canary.errors, min(bad, canary.invocations) + 1)
    )
    return Fraction(ways, comb(total, canary.invocations))


def test_fishers_own_cups_of_tea():
    # Given four cups of either kind, three of each told right: (16 + 1) of 70 ways are as good or better
    assert fisher_exact(counts(1, 4), counts(3, 4)) == pytest.approx(17 / 70, rel=1e-14)


def test_two_failures_of_four_calls_where_36_others_went_well():
    assert fisher_exact(counts(0, 36), counts(2, 4)) == pytest.approx(6 / 780, rel=1e-14)


@given(any_counts(), any_counts())
def test_the_p_value_is_exact(control: Counts, canary: Counts):
    assert fisher_exact(control, canary) == pytest.approx(
        float(exactly(control, canary)), rel=1e-12, abs=1e-300
    )


def test_a_billion_calls_are_no_slower_and_no_coarser():
    # Given one error among a billion calls, 1 in 5 of them the canary's: the chance that it is the canary's
    assert fisher_exact(counts(0, 800_000_000), counts(1, 200_000_000)) == pytest.approx(0.2, rel=1e-12)
    # and a table so extreme that its p-value is below what a float can hold
    assert fisher_exact(counts(0, 10**9), counts(10**9, 10**9)) == 0.0


@given(any_counts(), st.integers(1, 200), st.data())
def test_one_more_error_of_the_canary_never_raises_the_p_value(
    control: Counts, calls: int, data: st.DataObject
):
    errors = data.draw(st.integers(0, calls - 1))

    fewer, more = (fisher_exact(control, counts(n, calls)) for n in (errors, errors + 1))

    assert more <= fewer * (1 + 1e-12)


@given(any_counts(), any_counts())
def test_both_sides_cannot_be_the_worse_one(one: Counts, other: Counts):
    # P(X >= x) + P(X <= x) = 1 + P(X = x)
    assert fisher_exact(one, other) + fisher_exact(other, one) >= 1 - 1e-12


@given(any_counts(60))
def test_equal_counts_are_no_evidence(same: Counts):
    assert fisher_exact(same, same) >= 0.5


def test_without_errors_or_without_calls_nothing_is_known():
    assert fisher_exact(counts(0, 100), counts(0, 100)) == 1.0
    assert fisher_exact(counts(0, 0), counts(5, 5)) == 1.0
    assert fisher_exact(counts(5, 5), counts(0, 0)) == 1.0


@given(st.integers(1, 60), st.sampled_from([Fraction(1, 100), Fraction(1, 20), Fraction(1, 2)]), st.data())
def test_the_binomial_tail_is_exact(trials: int, chance: Fraction, data: st.DataObject):
    x = data.draw(st.integers(0, trials))
    tail = sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(x, trials + 1))

    assert binomial_tail(x, trials=trials, chance=float(chance)) == pytest.approx(float(tail), rel=1e-11)


def test_a_tail_beyond_what_can_happen_is_impossible():
    assert hypergeometric_tail(3, marked=2, drawn=5, total=10) == 0.0
    assert hypergeometric_tail(1, marked=8, drawn=5, total=10) == 1.0  # at least three of them are drawn


@pytest.mark.parametrize(("rate", "calls"), [(0.05, 59), (0.01, 299), (0.001, 2995), (0.5, 5)])
def test_n_min_is_where_no_error_yet_would_be_one_chance_in_twenty(rate: float, calls: int):
    assert fewest_calls(rate) == calls
    assert (1 - rate) ** calls <= 0.05 < (1 - rate) ** (calls - 1)


@pytest.mark.parametrize(
    ("control", "canary", "verdict", "why"),
    [
        (
            (1, 900),
            (0, 100),
            Verdict.PASS,
            "canary 0/100 against control 1/900: no worse than chance explains",
        ),
        (
            (1, 900),
            (12, 100),
            Verdict.FAIL,
            "canary 12/100 against control 1/900: more errors than chance explains",
        ),
        ((0, 58), (0, 59), Verdict.INCONCLUSIVE, "58 calls of control: fewer than 59"),
        ((0, 8), (0, 7), Verdict.INCONCLUSIVE, "7 calls of canary and 8 calls of control: fewer than 59"),
        (
            (0, 500),
            (4, 4),
            Verdict.FAIL,
            "canary 4/4 against control 0/500: more errors than chance explains",
        ),
        (
            (0, 3),
            (30, 60),
            Verdict.FAIL,
            "canary 30/60 fails more often than 5.00%, control 0/3 does not",
        ),
        ((40, 60), (40, 60), Verdict.INCONCLUSIVE, "canary 40/60 against control 40/60: above 5.00%"),
        ((3, 60), (4, 60), Verdict.INCONCLUSIVE, "canary 4/60 against control 3/60: above 5.00%"),
        ((4, 60), (3, 60), Verdict.INCONCLUSIVE, "canary 3/60 against control 4/60: above 5.00%"),
        ((0, 0), (0, 100), Verdict.INCONCLUSIVE, "0 calls of control: fewer than 59"),
    ],
)
def test_verdicts_at_a_gate(control: tuple[int, int], canary: tuple[int, int], verdict: Verdict, why: str):
    ruling = judge_counts(counts(*control), counts(*canary), PLAN, gate=1)

    assert (ruling.verdict, ruling.reason) == (verdict, why)
    assert (ruling.threshold, ruling.n_min) == (0.002, 59)
    assert (ruling.control, ruling.canary, ruling.plan) == (counts(*control), counts(*canary), PLAN)


def test_what_could_not_be_read_is_an_error():
    unread = [
        judge_counts(None, counts(0, 100), PLAN, gate=1),
        judge_counts(counts(0, 100), None, PLAN, gate=1),
        judge_level(None, PLAN, gate=1),
    ]

    assert [(ruling.verdict, ruling.reason, ruling.p_value) for ruling in unread] == [
        (Verdict.ERROR, "the counts of control are unknown", None),
        (Verdict.ERROR, "the counts of canary are unknown", None),
        (Verdict.ERROR, "the counts of canary are unknown", None),
    ]


@pytest.mark.parametrize("gate", [0, 6])
def test_a_look_that_was_not_planned_has_no_alpha(gate: int):
    healthy = counts(0, 1000)

    for ruling in (judge_counts(healthy, healthy, PLAN, gate=gate), judge_level(healthy, PLAN, gate=gate)):
        assert ruling.verdict is Verdict.ERROR
        assert ruling.reason == f"gate {gate} is none of the 5 planned: no alpha is left for it"


@pytest.mark.parametrize(
    ("canary", "verdict", "why"),
    [
        ((0, 59), Verdict.PASS, "canary 0/59: within 5.00%"),
        ((0, 58), Verdict.INCONCLUSIVE, "58 calls of canary: fewer than 59"),
        ((7, 100), Verdict.INCONCLUSIVE, "canary 7/100: above 5.00%, though chance may explain it"),
        ((30, 100), Verdict.FAIL, "canary 30/100 fails more often than 5.00%"),
        ((9, 9), Verdict.FAIL, "canary 9/9 fails more often than 5.00%"),
    ],
)
def test_without_a_control_the_service_level_decides(canary: tuple[int, int], verdict: Verdict, why: str):
    ruling = judge_level(counts(*canary), PLAN, gate=5)

    assert (ruling.verdict, ruling.reason) == (verdict, why)


@given(few_errors(), few_errors(), st.integers(1, 5), st.floats(0.005, 0.5))
def test_nothing_passes_on_few_calls_or_above_its_service_level(
    control: Counts, canary: Counts, gate: int, level: float
):
    plan = Plan(gates=5, max_error_rate=level)

    ruling = judge_counts(control, canary, plan, gate=gate)

    if min(control.invocations, canary.invocations) < ruling.n_min or max(control.rate, canary.rate) > level:
        assert ruling.verdict is not Verdict.PASS
    elif fisher_exact(control, canary) > ruling.threshold:
        assert ruling.verdict is Verdict.PASS


@given(any_counts(), any_counts(), st.integers(2, 100))
def test_one_more_error_never_betters_the_verdict(control: Counts, canary: Counts, gates: int):
    assume(canary.errors < canary.invocations)
    worse = counts(canary.errors + 1, canary.invocations)
    plan = Plan(gates=gates)

    before, after = (judge_counts(control, side, plan, gate=1).verdict for side in (canary, worse))

    order = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
    assert order.index(after) >= order.index(before)


@given(st.integers(1, 60), st.floats(1e-6, 0.5))
def test_all_gates_together_spend_no_more_than_alpha(gates: int, alpha: float):
    plan = Plan(gates=gates, alpha=alpha, alpha_level=alpha)
    some = counts(0, 1)

    thresholds = [judge_counts(some, some, plan, gate=gate).threshold for gate in range(1, gates + 1)]

    assert sum(thresholds) <= alpha * (1 + 1e-12)
    assert judge_level(some, plan, gate=1).threshold == thresholds[0]


def test_by_default_one_healthy_release_in_a_hundred_may_be_lost():
    plan = Plan(gates=3)

    assert plan.alpha + plan.alpha_level + plan.alpha_latency + plan.alpha_watch == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("errors", "invocations", "rule"),
    [
        (2, 1, "must not exceed invocations"),
        (-1, 1, "greater than"),
        (0, -1, "greater than"),
        (0.5, 1, "integer"),
    ],
)
def test_counts_that_cannot_be_are_refused(errors: float, invocations: int, rule: str):
    with pytest.raises(ValidationError, match=rule):
        Counts.model_validate({"errors": errors, "invocations": invocations})


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan"), float("inf")])
def test_an_alpha_outside_0_to_1_is_refused(alpha: float):
    with pytest.raises(ValidationError, match="alpha"):
        Plan(gates=1, alpha=alpha)
