"""Which minutes a step of a release is judged by, and which look of the planned ones it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from selfright.domain.canary import Counts, Plan
from selfright.domain.release import FunctionRelease, Release, ramp
from selfright.domain.release import evidence as ev
from selfright.domain.serving import AliasState, Tally
from tests.unit.usecases.release_world import manifest, request

SHIFTED = datetime(2026, 11, 23, 10, 0, 20, tzinfo=UTC)
DEPLOYMENT = manifest().deployment  # 25 % for 600 s, bake 300 s, metrics 180 s late, two prolongations


def release(*shifts: datetime, extensions: int = 0, functions: int = 2) -> Release:
    return Release(
        request=request(),
        requested_at=SHIFTED,
        rungs=ramp(DEPLOYMENT.strategy, DEPLOYMENT),
        shifts=shifts,
        extensions=extensions,
        functions=tuple(
            FunctionRelease(
                key=f"f{n}",
                function=f"shop-f{n}",
                alias="live",
                before=AliasState(version="1", revision="r"),
                candidate="2",
            )
            for n in range(functions)
        ),
    )


def minute(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-23T{text}:00+00:00").timestamp()


def test_the_minutes_of_a_shift_belong_to_no_step():
    at_full = SHIFTED + timedelta(minutes=13)
    both = release(SHIFTED, at_full)

    (step,) = ev.stretches_with_control(both, at_full + timedelta(minutes=5))

    assert (step.minutes[0], step.minutes[-1]) == (minute("10:01"), minute("10:12"))
    whole = ev.stretch(both, at_full + timedelta(minutes=5))
    assert (whole.step, whole.minutes[0], whole.minutes[-1]) == (2, minute("10:14"), minute("10:17"))


def test_a_request_counts_once_its_metrics_are_in():
    now = SHIFTED + timedelta(minutes=5)

    where = ev.stretch(release(SHIFTED), ev.counted_until(release(SHIFTED), DEPLOYMENT, now))

    assert where.minutes == (minute("10:01"),)  # now - 180 s is 10:02:20
    early = SHIFTED + timedelta(seconds=30)
    assert ev.stretch(release(SHIFTED), ev.counted_until(release(SHIFTED), DEPLOYMENT, early)).minutes == ()


@pytest.mark.parametrize(("extensions", "seconds"), [(0, 600 + 180), (2, 1800 + 180)])
def test_a_gate_is_due_when_all_its_requests_are_counted(extensions: int, seconds: int):
    one = release(SHIFTED, extensions=extensions)

    due = ev.gate_at(one, DEPLOYMENT)

    assert due == SHIFTED + timedelta(seconds=seconds)
    assert ev.counted_until(one, DEPLOYMENT, due) == due - timedelta(seconds=180)


def test_every_look_has_its_own_number_within_the_plan():
    plan = ev.gate_plan(release(SHIFTED), DEPLOYMENT)
    numbers = [
        ev.gate_number(release(*shifts, extensions=extension), DEPLOYMENT, index)
        for shifts in ((SHIFTED,), (SHIFTED, SHIFTED))
        for extension in range(3)
        for index in range(2)
    ]

    assert numbers == list(range(1, plan.gates + 1))
    assert plan.alpha_watch == pytest.approx(Plan(gates=1).alpha_watch / 2)


def test_looks_at_full_weight_never_run_out_of_alpha():
    one = release(SHIFTED, SHIFTED)
    plan = ev.level_plan(one, DEPLOYMENT)
    last = ev.gate_at(one.but(extensions=2), DEPLOYMENT)
    looks = [SHIFTED + timedelta(seconds=s) for s in (0, 59, 60, 3600)] + [last]

    numbers = [ev.level_number(one, DEPLOYMENT, 1, now) for now in looks]

    assert numbers[:3] == [2, 2, 4]
    assert max(numbers) <= plan.gates


def test_both_versions_are_counted_in_the_same_minutes():
    where = ev.Stretch(1, SHIFTED.replace(second=0), SHIFTED.replace(second=0) + timedelta(minutes=2))
    first, second = where.minutes
    old = Tally(invocations={first: 30, second: 30}, crashes={second: 1})
    new = Tally(invocations={first: 10}, crashes={first: 2})

    minutes = ev.paired(old, new, where)

    assert [m.canary for m in minutes] == [
        Counts(errors=2, invocations=10),
        Counts(errors=0, invocations=0),
    ]
    assert ev.total(minutes) == (Counts(errors=1, invocations=60), Counts(errors=2, invocations=10))


def test_more_errors_than_requests_are_no_count():
    where = ev.Stretch(1, SHIFTED.replace(second=0), SHIFTED.replace(second=0) + timedelta(minutes=1))
    absurd = Tally(crashes={where.minutes[0]: 1})

    with pytest.raises(ValidationError):
        ev.paired(absurd, Tally(), where)


def test_the_first_minute_of_a_step_is_one_of_cold_starts():
    at_full = SHIFTED + timedelta(minutes=4)
    both = release(SHIFTED, at_full)
    where = ev.stretches_with_control(both, at_full)

    points = ev.latencies({minute("10:01"): 900.0, minute("10:03"): 20.0, minute("10:05"): 1.0}, where)

    assert [(point.value, point.cold_start) for point in points] == [(900.0, True), (20.0, False)]
