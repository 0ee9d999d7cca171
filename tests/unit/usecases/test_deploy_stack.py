"""Releases with a template, played through deploy.asl.json and roll_back.asl.json."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from selfright.domain.errors import BadInputError, BusyError, RefusedError, ThrottledError
from selfright.domain.release import Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.stack import Drifted, DriftLook
from tests.unit.usecases.release_world import CART, CHECKOUT, STOCK, TEMPLATE, ReleaseWorld, manifest
from tests.unit.usecases.respond import CrashedError

ALL_NEW = {CART: "2", STOCK: "2", CHECKOUT: "2"}
FORWARD, BACK = "selfright-shop-42", "selfright-shop-42-back"
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:power"]}}


def template(**resources: Any) -> dict[str, Any]:
    """The present one with these resources, or without those that are None."""
    made = copy.deepcopy(TEMPLATE)
    for name, resource in resources.items():
        if resource is None:
            del made["Resources"][name]
        else:
            made["Resources"][name] = resource
    return made


def artifact(world: ReleaseWorld, text: dict[str, Any], **parameters: str) -> dict[str, Any]:
    world.template_files.uploaded["42.json"] = json.dumps(text)
    return {"bucket": "shop-artifacts", "key": "42.json", "sha256": "0" * 64, "parameters": parameters}


def release(world: ReleaseWorld, text: dict[str, Any], limit: str = "6", **request: Any) -> Release:
    return world.deploy(template=artifact(world, text, Limit=limit), **request).release


def as_before(world: ReleaseWorld) -> bool:
    stack = world.cloudformation
    return json.loads(stack.body) == TEMPLATE and stack.parameters == {"Limit": "5"} and world.untouched()


def test_the_stack_is_changed_before_a_version_is_made():
    world = ReleaseWorld()

    ended = release(world, template(Letters=QUEUE))

    assert ended.status is ReleaseStatus.COMPLETED, ended.why
    assert world.cloudformation.done == [FORWARD]
    assert "Letters" in json.loads(world.cloudformation.body)["Resources"]
    assert world.cloudformation.parameters == {"Limit": "6"}
    assert world.awslambda.versions_live() == ALL_NEW
    told = [line.milestone for line in world.ledger.file("shop-42").log]
    order = [Milestone.ADMITTED, Milestone.PREPARED, Milestone.CHANGED, Milestone.PUBLISHED]
    assert [m for m in told if m in order] == order


def test_a_release_without_a_template_leaves_the_stack_alone():
    world = ReleaseWorld()

    assert world.deploy().release.stack is None
    assert not [call for call in world.fuse.calls if call.startswith("stacks.")]


def test_a_template_that_changes_nothing_is_no_part_of_the_release():
    world = ReleaseWorld()

    ended = release(world, TEMPLATE, limit="5")

    assert ended.status is ReleaseStatus.COMPLETED
    assert world.cloudformation.done == []
    assert world.cloudformation.change_sets == {}


def test_a_stack_alone_is_released_and_watched_through_the_bake():
    world = ReleaseWorld()
    world.deploy()
    world.awslambda.changes.clear()

    ended = release(world, template(Letters=QUEUE), release_id="shop-43")

    assert (ended.status, ended.changing) == (ReleaseStatus.COMPLETED, ())
    assert len(ended.shifts) == 1
    assert world.awslambda.changes == []


# -- refused before anything is changed


def refused(world: ReleaseWorld, text: dict[str, Any], **request: Any) -> Release:
    before = world.cloudformation.body
    ended = release(world, text, **request)
    assert ended.status is ReleaseStatus.REFUSED
    assert world.cloudformation.done == []
    assert world.cloudformation.body == before
    assert world.free()
    return ended


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (template(Orders=None), "Orders .* would be removed and deleted"),
        (
            template(Orders={"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": "other"}}),
            "Orders .* replaced",
        ),
    ],
)
def test_what_would_lose_data_is_refused_whoever_approves_it(text: dict[str, Any], says: str):
    ended = refused(ReleaseWorld(), text, approver="grace")

    assert ended.stop is StopReason.CHANGE_TOO_RISKY
    assert re.search(says, ended.why)


@pytest.mark.parametrize("approver", [None, "ada"])
def test_wider_permissions_need_somebody_else(approver: str | None):
    ended = refused(ReleaseWorld(), template(Power=ROLE), approver=approver)

    assert ended.stop is StopReason.CHANGE_NOT_APPROVED
    assert "would allow more than before" in ended.why


@pytest.mark.parametrize(
    "answer", [{"approver": "grace"}, {"break_glass": {"reason": "a leak", "approver": "grace"}}]
)
def test_and_go_where_somebody_else_answers_for_them(answer: dict[str, Any]):
    world = ReleaseWorld()

    assert release(world, template(Power=ROLE), **answer).status is ReleaseStatus.COMPLETED
    prepared = next(line for line in world.ledger.file("shop-42").log if line.milestone is Milestone.PREPARED)
    assert prepared.detail["findings"][0]["risk"] == "permissions-wider"


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("UPDATE_ROLLBACK_FAILED", "selfright deploy unstick"),
        ("ROLLBACK_COMPLETE", "delete it and make it anew"),
        ("UPDATE_IN_PROGRESS", "another update is under way"),
        ("NEW_WORD", "not known here"),
    ],
)
def test_a_stack_that_is_not_whole_is_left_alone(status: str, advice: str):
    world = ReleaseWorld()
    world.cloudformation.status = status
    world.cloudformation._looks = 99

    ended = refused(world, template(Letters=QUEUE))

    assert ended.stop is StopReason.STACK_NOT_READY
    assert advice in ended.why


DRIFTED = DriftLook(
    detection="DETECTION_COMPLETE",
    status="DRIFTED",
    drifted=(
        Drifted(
            resource="Orders", kind="AWS::DynamoDB::Table", status="MODIFIED", properties=("/BillingMode",)
        ),
    ),
)


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        (DRIFTED, "Orders modified /BillingMode"),
        (DriftLook(detection="DETECTION_FAILED", reason="no permission"), "not known"),
        (DriftLook(detection="DETECTION_COMPLETE", status="NOT_CHECKED"), "not known"),
        (DriftLook(detection="DETECTION_COMPLETE", status="DRIFTED"), "where is not told"),
    ],
)
def test_drift_and_what_is_not_known_of_it_stops_a_release(drift: DriftLook, says: str):
    world = ReleaseWorld()
    world.cloudformation.drifted = drift

    ended = refused(world, template(Letters=QUEUE))

    assert ended.stop is StopReason.STACK_DRIFTED
    assert says in ended.why


def test_the_glass_may_be_broken_over_drift():
    world = ReleaseWorld()
    world.cloudformation.drifted = DRIFTED

    glass = {"reason": "it is the fix", "approver": "grace"}
    assert release(world, template(Letters=QUEUE), break_glass=glass).status is ReleaseStatus.COMPLETED
    prepared = next(line for line in world.ledger.file("shop-42").log if line.milestone is Milestone.PREPARED)
    assert "the glass is broken over its drift" in prepared.text


def test_an_alias_where_a_release_left_it_is_no_drift():
    moved = Drifted(
        resource="CheckoutAliaslive",
        kind="AWS::Lambda::Alias",
        status="MODIFIED",
        properties=("/FunctionVersion", "/RoutingConfig/AdditionalVersionWeights/0"),
    )
    world = ReleaseWorld()
    world.cloudformation.drifted = DRIFTED.model_copy(update={"drifted": (moved,)})
    assert release(world, template(Letters=QUEUE)).status is ReleaseStatus.COMPLETED

    deleted = moved.model_copy(update={"status": "DELETED", "properties": ()})
    assert not deleted.ours
    assert not moved.model_copy(update={"properties": ("/Name",)}).ours


def test_a_parameter_that_is_not_told_could_not_be_put_back():
    world = ReleaseWorld()
    world.cloudformation.parameters = {"Limit": None}  # type: ignore[dict-item]

    ended = refused(world, template(Letters=QUEUE))

    assert ended.stop is StopReason.CHANGE_NOT_POSSIBLE
    assert "template.parameters.Limit" in ended.why


def test_a_template_that_is_not_there_is_refused():
    world = ReleaseWorld()
    missing = {"bucket": "shop-artifacts", "key": "nowhere.json", "sha256": "0" * 64}

    ended = world.deploy(template=missing).release

    assert (ended.status, ended.stop) == (ReleaseStatus.REFUSED, StopReason.CHANGE_NOT_POSSIBLE)


def test_a_manifest_without_a_stack_takes_no_template():
    world = ReleaseWorld(manifest(stack=None))

    with pytest.raises(BadInputError, match=r"template: must be left out"):
        release(world, TEMPLATE)


# -- goes back


def test_a_resource_that_cannot_be_made_is_taken_back_by_cloudformation_itself():
    world = ReleaseWorld()
    world.cloudformation.broken = {"Letters"}

    ended = release(world, template(Letters=QUEUE))

    assert (ended.status, ended.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.STACK_NOT_CHANGED)
    assert "Letters CREATE_FAILED: it is broken" in ended.why
    assert world.cloudformation.done == [FORWARD]
    assert as_before(world)
    assert world.awslambda.changes == []
    assert world.free()


def test_a_later_step_that_fails_takes_the_stack_back_by_a_change_set():
    world = ReleaseWorld()
    world.failing = {CHECKOUT: {"2": 0.3}}

    ended = release(world, template(Letters=QUEUE))

    assert (ended.status, ended.stop) == (ReleaseStatus.ROLLED_BACK, StopReason.WORSE_THAN_BEFORE)
    assert world.cloudformation.done == [FORWARD, BACK]
    assert as_before(world)
    assert world.free()


def test_a_roll_back_that_got_stuck_is_let_go_on():
    world = ReleaseWorld()
    world.cloudformation.broken = {"Letters"}
    world.cloudformation.wedged = {"Late"}
    before = world.pass_time

    def somebody_mends_it(seconds: float) -> None:
        before(seconds)
        if "continued" in world.cloudformation.done:
            world.cloudformation.wedged = set()

    world.pass_time = somebody_mends_it  # type: ignore[method-assign]

    assert release(world, template(Letters=QUEUE)).status is ReleaseStatus.ROLLED_BACK
    assert world.cloudformation.done == [FORWARD, "continued"]


def test_one_that_stays_stuck_needs_people_and_says_what_they_can_do():
    world = ReleaseWorld()
    world.cloudformation.broken = {"Letters"}
    world.cloudformation.wedged = {"Late"}

    ended = release(world, template(Letters=QUEUE))

    assert ended.status is ReleaseStatus.ROLLBACK_FAILED
    assert world.cloudformation.done == [FORWARD, "continued", "continued"]
    closed = next(line for line in world.ledger.file("shop-42").log if line.milestone is Milestone.CLOSED)
    assert "deploy unstick --skip" in closed.text
    assert world.free()


def while_it_bakes(world: ReleaseWorld, happens: Any) -> None:
    """Something happens once the new versions have all requests, and they turn out bad."""
    before, happened = world.pass_time, []

    def pass_time(seconds: float) -> None:
        before(seconds)
        if not happened and world.awslambda.versions_live() == ALL_NEW:
            happened.append(True)
            happens()
            world.failing = {CHECKOUT: {"2": 0.5}}

    world.pass_time = pass_time  # type: ignore[method-assign]


def test_a_stack_that_somebody_else_changed_meanwhile_is_left_alone():
    world = ReleaseWorld()
    theirs = template(Letters=QUEUE, More=QUEUE)
    while_it_bakes(world, lambda: world.cloudformation.somebody_updates(theirs))

    ended = release(world, template(Letters=QUEUE))

    assert ended.status is ReleaseStatus.ROLLBACK_FAILED
    assert json.loads(world.cloudformation.body) == theirs
    assert world.untouched()


def test_a_stack_that_was_deleted_meanwhile_needs_people():
    world = ReleaseWorld()
    while_it_bakes(world, lambda: setattr(world.cloudformation, "gone", True))

    assert release(world, template(Letters=QUEUE)).status is ReleaseStatus.ROLLBACK_FAILED
    assert world.untouched()


def test_a_completed_release_is_taken_back_unless_that_loses_what_was_written_since():
    note = {"Type": "AWS::SSM::Parameter", "Properties": {}}
    for added, status in ((note, ReleaseStatus.ROLLED_BACK), (QUEUE, ReleaseStatus.ROLLBACK_FAILED)):
        world = ReleaseWorld()
        assert release(world, template(Added=added)).status is ReleaseStatus.COMPLETED

        world.play("roll_back", release_id="shop-42", reason="slow", actor="grace")

        assert world.ledger.release("shop-42").status is status
        assert as_before(world) == (status is ReleaseStatus.ROLLED_BACK)


def test_an_update_of_somebody_else_between_change_set_and_execution_stops_it():
    world = ReleaseWorld()
    before = world.cloudformation.template

    def template_is_read(stack: str, change_set: str | None = None) -> str:
        if change_set:
            world.cloudformation.status, world.cloudformation._looks = "UPDATE_IN_PROGRESS", 99
        return before(stack, change_set)

    world.cloudformation.template = template_is_read  # type: ignore[method-assign]

    ended = release(world, template(Letters=QUEUE))

    assert ended.stop is StopReason.STACK_NOT_CHANGED
    assert "another update is under way" in ended.why
    assert world.cloudformation.done == []


# -- crashes: once per call


def prepared(good: bool) -> ReleaseWorld:
    world = ReleaseWorld(manifest(look_seconds=600))
    world.failing = {} if good else {CHECKOUT: {"2": 0.3}}
    return world


def calls_of(good: bool) -> list[tuple[int, str]]:
    """Of the rooms that this file is about, and of the ledger in between."""
    world = prepared(good)
    release(world, template(Letters=QUEUE))
    ours = [n for n, call in enumerate(world.fuse.calls) if call.startswith(("stacks.", "templates."))]
    near = {n + step for n in ours for step in (-1, 0, 1)}
    return [(n, call) for n, call in enumerate(world.fuse.calls) if n in near]


@pytest.mark.parametrize("good", [True, False], ids=["forward", "and-back"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "error",
    [CrashedError("out of time"), ThrottledError("slow down"), BusyError("busy")],
    ids=lambda e: type(e).__name__,
)
def test_a_room_that_dies_or_gets_no_answer_is_repeated_without_harm(
    error: BaseException, before: bool, good: bool
):
    for at, call in calls_of(good):
        world = prepared(good)
        world.fuse.blow(at, before=before, error=error)

        ended = release(world, template(Letters=QUEUE))

        where = f"{at} {call}: {ended.stop} {ended.why}"
        wanted = ReleaseStatus.COMPLETED if good else ReleaseStatus.ROLLED_BACK
        assert ended.status is wanted, where
        assert world.cloudformation.done == ([FORWARD] if good else [FORWARD, BACK]), where
        assert good or as_before(world), where
        assert world.free(), where


@pytest.mark.parametrize("good", [True, False], ids=["forward", "and-back"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_what_is_refused_ends_whole_or_with_people(before: bool, good: bool):
    for at, call in calls_of(good):
        world = prepared(good)
        world.fuse.blow(at, before=before, error=RefusedError("not allowed"))

        ended = release(world, template(Letters=QUEUE))

        match ended.status:
            case ReleaseStatus.COMPLETED:
                assert good, f"{at} {call}"
            case ReleaseStatus.ROLLED_BACK | ReleaseStatus.REFUSED:
                assert as_before(world), f"{at} {call}: {ended.why}"
            case status:
                assert status is ReleaseStatus.ROLLBACK_FAILED, f"{at} {call}: {status}"
                assert world.channels.to("topic"), f"{at} {call}"
        assert world.free(), f"{at} {call}"
