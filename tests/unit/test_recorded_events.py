"""Intake and the events of the wild: normalised or refused, one decision record each, nothing else; and any mutation.

Recorded events come from a folder that is not part of the repository: SELFRIGHT_RECORDED_EVENTS, or
shared/data/events beside or above the checkout. Where there is none, the golden events stand in.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfright.domain.errors import BadInputError
from selfright.edge.signals import signal
from tests.unit.edge.test_queue_room import batch
from tests.unit.template import ROOT
from tests.unit.usecases.respond import handler
from tests.unit.usecases.world import World


def _recorded() -> Path | None:
    given = os.environ.get("SELFRIGHT_RECORDED_EVENTS")
    places = [Path(given)] if given else [up / "shared" / "data" / "events" for up in ROOT.parents[:2]]
    return next((place for place in places if place.is_dir()), None)


FOLDER = _recorded()
RECORDED = sorted(FOLDER.glob("*/*.json")) if FOLDER else []
GOLDEN = sorted((ROOT / "events").glob("*/*.json"))
# What of the recorded folder must become signals; everything else is none of our business and must be refused.
OURS = {
    "aws-health",
    "budgets-sns",
    "cloudwatch-alarm-lambda-action",
    "cloudwatch-alarm-sns-envelope",
    "cloudwatch-alarm-sns-message",
    "stepfunctions",
}


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def taken(event: Any) -> bool:
    """True where it became a signal, False where it was refused with field and rule; anything else raises."""
    try:
        signal(event)
    except BadInputError as error:
        if not (error.field and error.rule):
            raise AssertionError("refused without saying why") from error
        return False
    return True


class Counting:
    """The store of a world, counting the decisions that were written."""

    def __init__(self, world: World) -> None:
        self._store, self.written = world.memory, 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in {"ignore", "recover", "open_or_join"}:
            return method

        def counted(*args: Any) -> Any:
            self.written += 1
            return method(*args)

        return counted


def decided_or_kept(message: str) -> tuple[int, int]:
    """Decision records written, and messages left to the dead-letter queue, for one message in the queue."""
    world = World()
    world.store = Counting(world)
    answer = handler("receive_signal", world)(batch(message), None)
    return world.store.written, len(answer["batchItemFailures"])


@pytest.mark.skipif(not RECORDED, reason="no recorded events at hand")
@pytest.mark.parametrize("path", RECORDED, ids=lambda p: f"{p.parent.name}/{p.stem[:40]}")
def test_a_recorded_event_is_decided_once_or_kept(path: Path):
    event = load(path)

    wanted = (1, 0) if taken(event) else (0, 1)

    assert decided_or_kept(json.dumps(event)) == wanted
    if path.parent.name not in OURS:
        assert wanted == (0, 1)


@pytest.mark.skipif(not RECORDED, reason="no recorded events at hand")
def test_every_sender_of_ours_is_understood_at_least_once():
    understood = {path.parent.name for path in RECORDED if taken(load(path))}

    assert understood == OURS - {"stepfunctions"}  # recorded with placeholders for every moment


# -- mutations

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("9" * 5000)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
MOMENTS = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
        "2026-11-23",
        "",
        "\ud800",
        "\0",
    ]
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, the whole first."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, child in below for path in paths(child, (*at, key)))]


def put(document: Any, path: tuple[Any, ...], change: Any) -> Any:
    """A copy with `change(old)` at `path`; a change that answers ... removes what is there."""
    if not path:
        changed = change(document)
        return {} if changed is ... else changed
    key, *rest = path
    copy = document.copy()
    changed = put(copy[key], tuple(rest), change) if rest else change(copy[key])
    if changed is ...:
        del copy[key]
    else:
        copy[key] = changed
    return copy


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The text of an event with up to three fields dropped, retyped, altered, nested or swapped; or cut off."""
    event = load(draw(st.sampled_from([*RECORDED, *GOLDEN])))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(event)))
        kind = draw(st.sampled_from(["drop", "retype", "moment", "nest", "text", "double"]))
        other = draw(MOMENTS if kind == "moment" else ANYTHING)
        changes: dict[str, Any] = {
            "drop": lambda _: ...,
            "retype": lambda _, other=other: other,
            "moment": lambda _, other=other: other,
            "nest": lambda old: {
                "Records": [{"Sns": old}],
                "Message": json.dumps(old),
                "Type": "Notification",
            },
            "text": json.dumps,
            "double": lambda old: [old, old],
        }
        event = put(event, path, changes[kind])
    text = json.dumps(event)
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(message=mutated())
def test_whatever_comes_is_a_signal_or_refused(message: str):
    taken(message)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(message=mutated())
def test_whatever_comes_is_decided_once_or_kept(message: str):
    assert decided_or_kept(message) == ((1, 0) if taken(message) else (0, 1))


@pytest.mark.parametrize("depth", [10, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused(depth: int, opening: str, closing: str):
    assert not taken(opening * depth + "1" + closing * depth)


@pytest.mark.parametrize("envelopes", [2, 3, 8])
def test_an_envelope_in_an_envelope_is_refused(envelopes: int):
    message = (ROOT / "events" / "sns" / "alarm-raw.json").read_text()
    for _ in range(envelopes):
        message = json.dumps({"Type": "Notification", "TopicArn": "t", "Message": message})

    assert not taken(message)


@given(reason=st.text(max_size=50) | st.just("x" * 300_000))
@settings(max_examples=30, deadline=None)
def test_a_long_reason_is_cut(reason: str):
    event = load(ROOT / "events" / "cloudwatch" / "metric-alarm.json")
    event["detail"]["state"]["reason"] = reason

    assert signal(event).reason == reason[:1000]
