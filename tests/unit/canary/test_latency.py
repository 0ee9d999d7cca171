"""Per-minute latencies of canary and control."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.canary import LatencyPoint, Plan, Verdict, hodges_lehmann, judge_latency, mann_whitney

PLAN = Plan(gates=3)
STEADY = [200.0 + 3 * n for n in range(20)]  # ms; median 228.5
VALUES = st.lists(st.integers(1, 1000).map(float), min_size=1, max_size=12)


def points(values: Sequence[float]) -> list[LatencyPoint]:
    return [LatencyPoint(value=value) for value in values]


def test_complete_separation_of_four_and_four_is_one_order_in_seventy():
    assert mann_whitney([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1 / 70)
    assert mann_whitney([10, 20, 30, 40], [1, 2, 3, 4]) == 1.0


@pytest.mark.parametrize("seen", [(0, 1, 2), (1, 3, 5), (2, 4, 6), (4, 5, 6)])
def test_the_small_null_is_every_order_counted(seen: tuple[int, ...]):
    # Given all 35 ways to give three of seven ranks to the canary
    def won(ranks: tuple[int, ...]) -> int:
        return sum(rank - place for place, rank in enumerate(ranks))

    orders = list(combinations(range(7), 3))
    as_slow = sum(won(ranks) >= won(seen) for ranks in orders)
    canary = [float(rank) for rank in seen]
    control = [float(rank) for rank in range(7) if rank not in seen]

    assert mann_whitney(control, canary) == pytest.approx(as_slow / len(orders))


def test_ties_as_another_implementation_has_them():
    # ClickHouse's test 01560_mann_whitney: U = 223, two-sided p = 0.5426959774289482 with continuity correction
    canary = [
        310,
        195,
        530,
        155,
        530,
        245,
        385,
        450,
        465,
        545,
        170,
        180,
        125,
        180,
        230,
        75,
        430,
        480,
        495,
        295,
    ]
    control = [
        116,
        171,
        176,
        421,
        111,
        326,
        481,
        111,
        346,
        441,
        261,
        411,
        206,
        521,
        456,
        446,
        296,
        51,
        426,
        261,
    ]

    assert mann_whitney(control, canary) == pytest.approx(0.5426959774289482 / 2, rel=1e-12)


def test_at_twenty_a_side_the_normal_tail_promises_no_less_than_the_exact_one():
    # Given the least separation that fails at one of three gates: 20 a side, no ties
    exact = {}
    ways = [1] + [0] * 400
    for i in range(1, 21):  # orders by pairs won, built up point by point
        for k in range(400, 19 + i, -1):
            ways[k] -= ways[k - 20 - i]
        for k in range(i, 401):
            ways[k] += ways[k - i]
    for u in range(300, 350):
        exact[u] = sum(ways[u:]) / math.comb(40, 20)
    deviation = math.sqrt(400 * 41 / 12)
    normal = {u: 0.5 * math.erfc((u - 200.5) / deviation / math.sqrt(2)) for u in exact}

    near = [u for u in exact if 1e-4 < normal[u] < 1e-3]
    assert len(near) > 10
    assert all(exact[u] <= normal[u] for u in near)


@given(VALUES, VALUES)
def test_a_p_value_is_a_probability_and_both_cannot_be_slower(control: list[float], canary: list[float]):
    one, other = mann_whitney(control, canary), mann_whitney(canary, control)

    assert 0 <= one <= 1
    assert one + other >= 1 - 1e-9


@given(VALUES, VALUES, st.floats(0, 100))
def test_a_slower_canary_is_never_less_suspect(control: list[float], canary: list[float], more: float):
    # Given distinct values, so that the kind of null does not change with the shift
    control = [2 * value for value in sorted(set(control))]
    canary = [2 * value + 1 for value in sorted(set(canary))]
    even = 2 * math.ceil(more)

    assert mann_whitney(control, [v + even for v in canary]) <= mann_whitney(control, canary) + 1e-12


def test_the_shift_is_not_moved_by_one_wild_minute():
    assert hodges_lehmann([100, 101, 102], [110, 111, 99_999]) == 10


# A shift of 22 loses the 78 pairs that lie 8 places or more apart: U = 322, z = 121.5 / 36.97. One of 30 loses 45 and
# halves 10: U = 350.
@pytest.mark.parametrize(
    ("canary", "verdict", "why"),
    [
        (STEADY, Verdict.PASS, "slower by 0, p = 0.51: no slower than chance explains"),
        (
            [v + 30 for v in STEADY],
            Verdict.FAIL,
            "slower by 30, p = 2.6e-05: more than chance explains, and more than 22.85",
        ),
        ([v + 22 for v in STEADY], Verdict.PASS, "slower by 22, p = 0.00051: no slower than chance explains"),
        (STEADY[:19], Verdict.INCONCLUSIVE, "20 minutes of control and 19 of canary: fewer than 20 a side"),
        ([], Verdict.INCONCLUSIVE, "no latency of canary"),
        ([*STEADY, float("nan")], Verdict.ERROR, "a latency of nan"),
        ([*STEADY, float("inf")], Verdict.ERROR, "a latency of inf"),
        ([*STEADY, -1.0], Verdict.ERROR, "a latency of -1.0"),
    ],
)
def test_verdicts_at_a_gate(canary: Sequence[float], verdict: Verdict, why: str):
    ruling = judge_latency(points(STEADY), points(canary), PLAN, gate=1)

    assert (ruling.verdict, ruling.reason) == (verdict, why)
    assert (ruling.threshold, ruling.n_min) == (pytest.approx(0.001 / 3), 20)
    assert ruling.control == tuple(points(STEADY))


def test_a_shift_of_one_percent_that_can_be_seen_does_not_matter():
    # Given latencies so steady that 1 % is beyond doubt
    control = points([200 + n / 100 for n in range(60)])
    canary = points([202 + n / 100 for n in range(60)])

    ruling = judge_latency(control, canary, PLAN, gate=1)

    assert ruling.p_value is not None
    assert ruling.p_value < 1e-15
    assert ruling.verdict is Verdict.PASS
    assert ruling.reason == "slower by 2, p = 1.8e-21: less than 20.03, which does not matter"


def test_minutes_of_cold_starts_do_not_count():
    # Given a canary whose first five minutes were slow because its environments started
    cold = [LatencyPoint(value=2000, cold_start=True)] * 5

    with_them = judge_latency(points(STEADY), [*cold, *points(STEADY)], PLAN, gate=1)
    too_few = judge_latency(points(STEADY), [*cold, *points(STEADY[5:])], PLAN, gate=1)

    assert (with_them.verdict, with_them.shift) == (Verdict.PASS, 0)
    assert with_them.canary[:5] == tuple(cold)  # kept all the same
    assert too_few.verdict is Verdict.INCONCLUSIVE


def test_a_look_that_was_not_planned_has_no_alpha():
    assert judge_latency(points(STEADY), points(STEADY), PLAN, gate=4).verdict is Verdict.ERROR


def test_all_values_the_same_is_no_evidence():
    ruling = judge_latency(points([5.0] * 20), points([5.0] * 20), PLAN, gate=1)

    assert (ruling.verdict, ruling.p_value) == (Verdict.PASS, 1.0)
