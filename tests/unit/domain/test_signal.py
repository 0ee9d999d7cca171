"""Ids: one state change is one signal, one problem is one fingerprint, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.alarms import State
from selfright.domain.incident import Incident, fingerprint
from selfright.domain.manifest import Symptom
from selfright.domain.signal import Signal, digest
from tests.unit.usecases.world import ALARM, GUARD, WENT_OFF, signal, workload

TEXT = st.text(max_size=20)
MOMENTS = st.integers(0, 2**41).map(lambda ms: datetime.fromtimestamp(ms / 1000, UTC))  # until 2039
OFFSETS = st.integers(min_value=-12 * 60, max_value=14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


def changed(one: Signal, **to: Any) -> Signal:
    return Signal.model_validate({**one.model_dump(), **to})


@given(at=MOMENTS, offset=OFFSETS, reason=TEXT, muted=st.none() | TEXT)
def test_the_same_transition_has_one_id_whatever_envelope_it_comes_in(
    at: datetime, offset: timezone, reason: str, muted: str | None
):
    plain = signal(at)
    told_again = changed(plain, at=at.astimezone(offset), reason=reason, muted_by=muted)

    assert told_again.id == plain.id
    assert told_again.at.isoformat() == plain.at.isoformat()


@given(at=MOMENTS, offset=OFFSETS)
def test_an_incident_has_one_id_whatever_offset_its_signal_came_in(at: datetime, offset: timezone):
    shop = workload()
    binding = shop.alarm_by_name(ALARM)
    assert binding

    ids = {
        Incident.open(changed(signal(), at=moment), shop, binding, at).id
        for moment in (at, at.astimezone(offset))
    }

    assert len(ids) == 1


@given(at=MOMENTS, other=MOMENTS)
def test_another_second_is_another_signal(at: datetime, other: datetime):
    """Below it, envelopes differ: EventBridge writes milliseconds, some senders seconds, the API what it likes."""
    same = at.replace(microsecond=0) == other.replace(microsecond=0)

    assert (signal(at).id == signal(other).id) == same


def test_another_state_or_alarm_is_another_signal():
    assert len({signal().id, signal(state=State.OK).id, signal(alarm=GUARD).id}) == 3


@given(parts=st.lists(TEXT, max_size=4), others=st.lists(TEXT, max_size=4))
def test_different_parts_never_run_together(parts: list[str], others: list[str]):
    assert (digest(*parts) == digest(*others)) == (parts == others)


@given(text=st.text(alphabet='ab\x1f\x00,"[]|\\', min_size=2, max_size=8), cut=st.integers(1, 7))
def test_no_separator_in_a_part_makes_it_two(text: str, cut: int):
    assert digest(text) != digest(text[:cut], text[cut:])


def test_a_fingerprint_is_the_symptom_of_a_resource_not_the_alarm():
    shop = workload()
    by_alarm = {
        name: fingerprint(signal(alarm=name), shop, binding)
        for name in (ALARM, "shop-development-orders-reads-throttled", GUARD)
        if (binding := shop.alarm_by_name(name))
    }

    assert by_alarm[ALARM] == by_alarm["shop-development-orders-reads-throttled"]
    assert by_alarm[ALARM] != by_alarm[GUARD]


@given(
    account=st.from_regex(r"[0-9]{12}", fullmatch=True), region=st.sampled_from(["eu-central-1", "us-east-1"])
)
def test_another_place_is_another_problem(account: str, region: str):
    shop, here = workload(), signal()
    binding = shop.alarm_by_name(ALARM)
    assert binding
    there = changed(here, account=account, region=region)

    same = (account, region) == (here.account, here.region)
    assert (fingerprint(there, shop, binding) == fingerprint(here, shop, binding)) == same


def test_an_incidents_id_tells_problem_and_moment():
    shop = workload()
    binding = shop.alarm_by_name(ALARM)
    assert binding

    incident = Incident.open(signal(WENT_OFF.replace(microsecond=123_000)), shop, binding, WENT_OFF)

    assert incident.id == f"inc-{incident.fingerprint[:12]}-20261123T100000123"
    assert incident.symptom is Symptom.THROTTLING
