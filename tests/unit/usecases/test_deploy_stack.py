"""Releases with a template, played through deploy.asl.json: the stack is changed first, or nothing is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from selfright.domain.errors import BadInputError
from selfright.domain.release import Milestone, Release, ReleaseStatus, StopReason
from selfright.domain.release.stack import Drifted, DriftLook
from tests.unit.usecases.release_world import TEMPLATE, ReleaseWorld, manifest
from tests.unit.usecases.stack_releases import ALL_NEW, FORWARD, QUEUE, ROLE, release, template


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
