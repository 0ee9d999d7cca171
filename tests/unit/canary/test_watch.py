"""The e-process between gates: fair bets while the canary is no worse, rich ones when it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfright.domain.canary import (
    BLOCK,
    ODDS_RATIOS,
    Counts,
    Minute,
    Plan,
    Verdict,
    log_e_values,
    watch_counts,
)

PLAN = Plan(gates=3)


def minute(control: tuple[int, int], canary: tuple[int, int], step: int = 0) -> Minute:
    return Minute(
        step=step,
        control=Counts(errors=control[0], invocations=control[1]),
        canary=Counts(errors=canary[0], invocations=canary[1]),
    )


def e_values(*minutes: Minute) -> list[float]:
    return [math.exp(log_e) for log_e in log_e_values(minutes)]


def test_the_prior_is_one():
    assert sum(ODDS_RATIOS.values()) == pytest.approx(1.0)
    assert min(ODDS_RATIOS) > 1


def test_one_error_between_equal_sides():
    # Given that one of ten and ten calls failed, it is the canary's with chance 1/2; at odds ratio w with w / (1 + w)
    shares = [Fraction(20, 100), *[Fraction(16, 100)] * 5]
    ratios = [2, 4, 10, 30, 100, 1000]

    theirs = sum(share * 2 * Fraction(w, 1 + w) for share, w in zip(shares, ratios, strict=True))
    not_theirs = sum(share * 2 * Fraction(1, 1 + w) for share, w in zip(shares, ratios, strict=True))

    assert e_values(minute((0, 10), (1, 10))) == [pytest.approx(float(theirs))]
    assert e_values(minute((1, 10), (0, 10))) == [pytest.approx(float(not_theirs))]


def test_evidence_multiplies_for_each_odds_ratio():
    expected = sum(share * (2 * w / (1 + w)) ** 2 for w, share in ODDS_RATIOS.items())

    assert e_values(*[minute((0, 10), (1, 10))] * 2)[1] == pytest.approx(expected)


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.01, 0.9), st.floats(0, 1) | st.just(1.0))
def test_on_average_no_evidence_against_a_canary_that_is_no_worse(
    control: int, canary: int, rate: float, better: float
):
    # Given every outcome of one block, weighted by its chance
    control = max(control, BLOCK - canary)
    mean = 0.0
    for x in range(control + 1):
        for y in range(canary + 1):
            chance = binomial(x, control, rate) * binomial(y, canary, rate * better)
            mean += chance * e_values(minute((x, control), (y, canary)))[0]

    assert mean <= 1 + 1e-9
    if better == 1:
        assert mean == pytest.approx(1)


def binomial(x: int, n: int, rate: float) -> float:
    return comb(n, x) * rate**x * (1 - rate) ** (n - x)


@given(st.integers(0, 20), st.integers(1, 40), st.integers(1, 40))
def test_at_equal_rates_the_mean_is_one_whatever_failed_in_all(errors: int, control: int, canary: int):
    control = max(control, BLOCK - canary)
    errors = min(errors, control + canary)
    mean = 0.0
    for y in range(max(0, errors - control), min(errors, canary) + 1):
        chance = (
            comb(errors, y) * comb(control + canary - errors, canary - y) / comb(control + canary, canary)
        )
        mean += chance * e_values(minute((errors - y, control), (y, canary)))[0]

    assert mean == pytest.approx(1)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=8)
)
def test_one_more_error_of_the_canary_is_more_evidence(calls: list[tuple[int, int, int]]):
    minutes = [minute((min(bad, old), old), (min(bad, new), new)) for old, new, bad in calls]
    last = minutes[-1]
    room = last.canary.invocations - last.canary.errors
    worse = [
        *minutes[:-1],
        minute(
            (last.control.errors, last.control.invocations),
            (last.canary.errors + min(room, 1), last.canary.invocations),
        ),
    ]

    assert list(log_e_values(worse))[-1] >= list(log_e_values(minutes))[-1] - 1e-9


def test_minutes_of_few_calls_are_judged_together():
    # Given two calls a minute, one of them the canary's, which always fails: the tenth minute makes a block of twenty
    quiet = [minute((0, 1), (1, 1))] * 10

    assert e_values(*quiet)[:9] == [1.0] * 9
    assert e_values(*quiet)[9] == e_values(minute((0, 10), (10, 10)))[0] > 1000


def test_a_step_of_the_ramp_closes_what_is_open():
    # Given ten calls at one weight and ten at another: two blocks, the second still open
    values = e_values(minute((0, 9), (1, 1), step=0), minute((0, 5), (5, 5), step=1))

    alone = sum(
        share * 10 * w / (9 + w) for w, share in ODDS_RATIOS.items()
    )  # one of ten calls failed, and it was it
    assert values == [1.0, pytest.approx(alone)]


def test_a_sick_environment_is_no_evidence_against_the_release():
    # Given that half of all calls of both fail for an hour
    outage = [minute((45, 90), (5, 10))] * 60

    ruling = watch_counts(outage, PLAN)

    assert ruling.verdict is Verdict.INCONCLUSIVE
    assert ruling.e_value <= 1


def test_a_rate_that_drifts_while_the_weight_rises_is_no_evidence():
    # Given a rate that goes from 1 to 10 % while the canary gets more and more calls: pooled, it looks much worse
    drift = [minute((9, 900), (1, 100), 0), minute((30, 600), (20, 400), 1), minute((10, 100), (90, 900), 2)]

    assert watch_counts(drift, PLAN).e_value <= 1


def test_a_release_that_cannot_start_is_stopped_in_its_first_minute():
    # Given all ten errors on its ten calls of 100: one of 1.73e13 splits, which the odds ratios bet on
    ruling = watch_counts([minute((0, 90), (10, 10))], PLAN)

    assert ruling.verdict is Verdict.FAIL
    assert ruling.threshold == pytest.approx(1 / 0.007)
    assert (
        ruling.reason == "e-value 1.38e+12 of 143 after 10 calls of canary: more errors than chance explains"
    )


def test_what_was_found_once_stays_found():
    bad, fine = minute((0, 90), (10, 10)), minute((90, 90), (0, 10))

    assert watch_counts([bad, *[fine] * 30], PLAN).verdict is Verdict.FAIL


def test_it_never_promotes():
    for minutes in ([], [minute((0, 0), (0, 0))], [minute((0, 1000), (0, 1000))] * 60):
        assert watch_counts(minutes, PLAN).verdict is Verdict.INCONCLUSIVE


def test_every_input_is_kept():
    minutes = (minute((0, 90), (1, 10)), minute((2, 80), (0, 20)))

    ruling = watch_counts(minutes, PLAN)

    assert (ruling.minutes, ruling.plan) == (minutes, PLAN)
    assert type(ruling).model_validate_json(ruling.model_dump_json()) == ruling


def test_a_flood_of_errors_does_not_overflow():
    ruling = watch_counts([minute((0, 100_000), (100_000, 100_000))], PLAN)

    assert ruling.verdict is Verdict.FAIL
    assert math.isfinite(ruling.e_value)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_outcomes_never_decide_where_a_block_ends(errors: Sequence[int]):
    # Given 6 calls a minute, whatever failed: values change every fourth minute only
    values = e_values(*(minute((min(bad, 3), 3), (bad, 3)) for bad in errors * 4))

    changed = [
        place for place, (before, after) in enumerate(pairwise([1.0, *values]), start=1) if before != after
    ]
    assert all(place % 4 == 0 for place in changed)
