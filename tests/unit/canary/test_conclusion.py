"""All rulings of a gate together, and what to do where they say nothing."""

from __future__ import annotations

from itertools import product

import pytest

from selfright.domain.canary import (
    Counts,
    LatencyPoint,
    Minute,
    NextStep,
    Plan,
    Ruling,
    Traffic,
    Verdict,
    judge_counts,
    judge_latency,
    judge_level,
    next_step,
    together,
    watch_counts,
)

PLAN = Plan(gates=3)
FINE = Counts(errors=0, invocations=1000)
AWFUL = Counts(errors=900, invocations=1000)
COUNTS = {
    Verdict.PASS: judge_counts(FINE, FINE, PLAN, gate=1),
    Verdict.FAIL: judge_counts(FINE, AWFUL, PLAN, gate=1),
    Verdict.INCONCLUSIVE: judge_counts(AWFUL, AWFUL, PLAN, gate=1),
    Verdict.ERROR: judge_counts(None, FINE, PLAN, gate=1),
}
STEADY = [LatencyPoint(value=100)] * 20
LATENCY = {
    Verdict.PASS: judge_latency(STEADY, STEADY, PLAN, gate=1),
    Verdict.FAIL: judge_latency(STEADY, [LatencyPoint(value=300)] * 20, PLAN, gate=1),
    Verdict.INCONCLUSIVE: judge_latency(STEADY, [], PLAN, gate=1),
    Verdict.ERROR: judge_latency(STEADY, [LatencyPoint(value=-1)] * 20, PLAN, gate=1),
}
QUIET = watch_counts([Minute(step=0, control=FINE, canary=FINE)], PLAN)
ALARMED = watch_counts([Minute(step=0, control=FINE, canary=AWFUL)], PLAN)


def traffic(**changes: float | bool) -> Traffic:
    usual = {"minutes": 10, "weight": 0.1, "largest_weight": 0.1, "patience": 20, "synthetic": False}
    return Traffic.model_validate(usual | changes)


def test_the_rulings_are_what_they_are_called():
    assert {verdict: ruling.verdict for verdict, ruling in COUNTS.items()} == {v: v for v in Verdict}
    assert {verdict: ruling.verdict for verdict, ruling in LATENCY.items()} == {v: v for v in Verdict}


@pytest.mark.parametrize(("one", "other"), list(product(Verdict, Verdict)))
def test_the_worst_verdict_counts(one: Verdict, other: Verdict):
    worst_first = [Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS]

    assert together([COUNTS[one], LATENCY[other]]) is min(one, other, key=worst_first.index)


@pytest.mark.parametrize(
    ("rulings", "verdict"),
    [
        ([], Verdict.ERROR),
        ([QUIET], Verdict.ERROR),  # a watch alone promotes nothing
        ([QUIET, COUNTS[Verdict.PASS]], Verdict.PASS),
        ([ALARMED, COUNTS[Verdict.PASS], LATENCY[Verdict.PASS]], Verdict.FAIL),
        ([ALARMED, COUNTS[Verdict.ERROR]], Verdict.FAIL),
    ],
)
def test_a_watch_can_stop_and_not_promote(rulings: list[Ruling], verdict: Verdict):
    assert together(rulings) is verdict


@pytest.mark.parametrize(
    ("control", "canary", "how", "step"),
    [
        # 59 a side are needed; 30 came in ten minutes, and twenty are left: 90
        ((0, 270), (0, 30), {}, NextStep.EXTEND),
        # 10 in ten minutes make 30; at half of the calls 200 / 2 are to come
        ((0, 90), (0, 10), {"largest_weight": 0.5}, NextStep.RAISE_WEIGHT),
        ((0, 90), (0, 10), {}, NextStep.ASK),
        ((0, 90), (0, 10), {"synthetic": True}, NextStep.SYNTHETIC_TRAFFIC),
        # more weight would leave the control too few: 20 + 40 x 0.1
        ((0, 18), (0, 2), {"largest_weight": 0.9, "synthetic": True}, NextStep.SYNTHETIC_TRAFFIC),
        # a canary that fails is not shown to more people
        ((0, 90), (1, 10), {"largest_weight": 0.5}, NextStep.ASK),
        ((0, 0), (0, 0), {"largest_weight": 0.5, "synthetic": True}, NextStep.SYNTHETIC_TRAFFIC),
        ((0, 0), (0, 0), {}, NextStep.ASK),
        # calls are enough, both fail too often: waiting tells nothing new
        ((400, 600), (400, 600), {"synthetic": True}, NextStep.ASK),
    ],
)
def test_what_to_do_with_few_calls(
    control: tuple[int, int], canary: tuple[int, int], how: dict[str, float | bool], step: NextStep
):
    old, new = (Counts(errors=errors, invocations=calls) for errors, calls in (control, canary))
    ruling = judge_counts(old, new, PLAN, gate=1)

    assert ruling.verdict is Verdict.INCONCLUSIVE
    assert next_step(ruling, traffic(**how)) is step


def test_what_cannot_be_read_is_for_people():
    assert next_step(COUNTS[Verdict.ERROR], traffic(synthetic=True)) is NextStep.ASK


def test_at_full_weight_there_is_no_control_to_wait_for():
    ruling = judge_level(Counts(errors=0, invocations=30), PLAN, gate=1)

    assert next_step(ruling, traffic(weight=1, largest_weight=1)) is NextStep.EXTEND


def test_the_list_is_closed():
    assert {step.value for step in NextStep} == {"extend", "raise weight", "synthetic traffic", "ask"}
