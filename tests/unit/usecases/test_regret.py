"""An alarm of the release set goes off: who takes the release back, who holds, and what is spared."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import SourceDownError
from selfright.domain.manifest import load
from selfright.domain.release import ReleaseStatus, StopReason
from selfright.ports import Switches
from selfright.usecases.recent_release import answers_for
from tests.fakes import Down
from tests.unit.template import ROOT
from tests.unit.usecases.release_world import ALARM, CHECKOUT, RELEASING, ReleaseWorld, manifest
from tests.unit.usecases.respond import handler
from tests.unit.usecases.world import MANIFEST

REGRET = 1800  # seconds, the manifest's default


def event(world: ReleaseWorld, alarm: str = ALARM, state: str = "ALARM") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "events/cloudwatch/metric-alarm.json").read_text())
    moment = world.clock.now().isoformat()
    found["detail"]["alarmName"] = alarm
    found["detail"]["state"] = {"value": state, "timestamp": moment, "reason": "Threshold Crossed"}
    return found


def told(world: ReleaseWorld, **about: str) -> dict[str, Any]:
    answer: dict[str, Any] = handler("regret_release", world)(
        event(world, **about), SimpleNamespace(aws_request_id="request-1")
    )
    return answer


def goes_off(world: ReleaseWorld) -> dict[str, Any]:
    world.alarm(State.ALARM)
    return told(world)


def completed(**deployment: Any) -> ReleaseWorld:
    world = ReleaseWorld(manifest(**deployment))
    assert world.deploy().release.status is ReleaseStatus.COMPLETED
    world.clock.advance(60)
    return world


def answers(world: ReleaseWorld) -> str | None:
    return answers_for(world.workload, world.ledger, world.awslambda, world.clock.now())


def test_a_fresh_release_goes_back_at_once_and_once():
    world = completed()

    for _ in range(2):
        assert goes_off(world)["goes_back"] is True

    (given,) = world.roll_backs.started.values()
    assert (given.release_id, given.actor, given.cause) == ("shop-42", ALARM, StopReason.ALARM_WENT_OFF)
    world.play("roll_back", **given.model_dump(mode="json"))
    release = world.ledger.release("shop-42")
    assert (release.status, release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.ALARM_WENT_OFF)
    assert release.why == f"{ALARM}: Threshold Crossed"
    assert world.untouched()
    # ... and once it is back, nothing goes back further
    assert goes_off(world) == {
        "alarm": ALARM,
        "release_id": "shop-42",
        "goes_back": False,
        "why": "the release is rolled_back",
    }


def test_a_release_on_its_way_does_not_wait_for_the_next_look():
    world = ReleaseWorld()
    before, asked = world.pass_time, list[dict[str, Any]]()

    def the_alarm(seconds: float) -> None:
        if not asked:
            asked.append(goes_off(world))
            (given,) = world.roll_backs.started.values()
            world.play("roll_back", **given.model_dump(mode="json"))
            assert world.untouched()
        before(seconds)

    world.pass_time = the_alarm  # type: ignore[method-assign]

    file = world.deploy()

    assert (file.release.status, file.release.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.ALARM_WENT_OFF)
    assert [line.key for line in file.log if line.key.startswith("closed")] == ["closed-rolled_back"]
    assert world.untouched()
    assert world.free()


@pytest.mark.parametrize(
    ("why", "given"),
    [
        ("too long", lambda world: world.clock.advance(REGRET)),
        ("kill switch", lambda world: setattr(world.board, "switches", Switches(kill_switch=True))),
        ("muted", lambda world: world.cloudwatch.change(ALARM, muted_by="nightly")),
        ("muted", lambda world: world.cloudwatch.change(ALARM, actions_enabled=False)),
        ("OK again", lambda world: world.cloudwatch.change(ALARM, state=State.OK)),
        (
            "something else is live",
            lambda world: world.awslambda.route(
                CHECKOUT, "live", "1", {}, world.awslambda.functions[CHECKOUT].alias.revision
            ),
        ),
    ],
)
def test_what_is_spared(why: str, given: Any):
    world = completed()
    world.alarm(State.ALARM)
    given(world)

    answer = told(world)

    assert answer["goes_back"] is False
    assert why in answer["why"]
    assert world.roll_backs.started == {}


def test_an_alarm_that_the_glass_was_broken_over_takes_nothing_back():
    world = ReleaseWorld()
    world.alarm(State.ALARM)
    glass = {"reason": "it mends this", "approver": "grace"}
    world.pass_time = _stop  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.deploy(break_glass=glass)

    assert "glass" in told(world)["why"]
    assert world.roll_backs.started == {}


def _stop(_seconds: float) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("about", [{"alarm": "somebody-elses"}, {"state": "OK"}])
def test_other_alarms_and_good_news_are_none_of_its_business(about: dict[str, str]):
    world = completed()

    assert told(world, **about)["goes_back"] is False
    assert world.roll_backs.started == {}


@pytest.mark.parametrize("port", ["releases", "switches", "alarms", "functions"])
def test_what_cannot_be_asked_fails_the_call_so_that_it_is_repeated(port: str):
    world = completed()
    world.alarm(State.ALARM)
    setattr(world, port, Down())

    with pytest.raises(SourceDownError):
        told(world)
    assert world.roll_backs.started == {}


# -- respond holds meanwhile


def test_respond_holds_while_a_release_answers_and_no_longer():
    world = completed()
    assert "its own alarms take it back" in str(answers(world))

    world.clock.advance(REGRET)
    assert answers(world) is None

    world.roll_back("shop-42", "slow")
    assert "metrics tell of it still" in str(answers(world))

    world.clock.advance(world.workload.verification.settle_seconds + 121)
    assert answers(world) is None


def test_respond_judges_what_it_took_back_itself():
    world = completed()

    world.roll_back("shop-42", "fails", "respond", cause="incident")

    assert answers(world) is None


def test_a_release_that_is_not_live_any_more_answers_for_nothing():
    world = completed()
    world.awslambda.route(CHECKOUT, "live", "1", {}, world.awslambda.functions[CHECKOUT].alias.revision)

    assert answers(world) is None


@pytest.mark.parametrize(
    ("windows", "goes_back"),
    [
        ({"maintenance": [{"name": "mending", "days": ["monday"], "from": "09:00", "to": "12:00"}]}, False),
        (
            {"freezes": [{"name": "sales", "from": "2026-11-23T09:00:00Z", "to": "2026-11-23T12:00:00Z"}]},
            True,
        ),
    ],
)
def test_people_at_work_are_left_alone_and_a_freeze_holds_nothing_back(
    windows: dict[str, Any], goes_back: bool
):
    world = completed()
    world.workloads = {"shop": load(MANIFEST, {**RELEASING, "windows": windows}, "development")}

    assert goes_off(world)["goes_back"] is goes_back
