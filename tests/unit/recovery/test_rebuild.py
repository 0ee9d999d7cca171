"""A whole workload in another account: built from one backup, proven, and refused where anything is missing."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest

from selfright.domain.backup.catalogue import PointKind
from selfright.domain.errors import RefusedError, SourceDownError
from selfright.domain.recovery.record import Recovery, Status
from selfright.domain.recovery.template import names_of, rebuilt, resolved
from tests.fakes import Fuse
from tests.unit.recovery.rebuilding import NEW, OLD, TABLE, play, request, world
from tests.unit.recovery.world import POINT


def test_everything_is_there_and_proven():
    found, there = world()
    recovery = play(found, request())
    assert (recovery.status, recovery.why) == (Status.RECOVERED, ())
    made = there.stacks["shop-production"]
    checkout, flow = (made["template"]["Resources"][name]["Properties"] for name in ("Checkout", "Flow"))
    assert checkout["Code"] == {"S3Bucket": "staging", "S3Key": f"{recovery.id}/checkout.zip"}
    assert json.loads(flow["DefinitionString"]) == {
        "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:shop-production-checkout"
    }
    assert "DefinitionS3Location" not in flow
    assert (made["parameters"], made["tags"]) == ({"Stage": "production"}, {"team": "blue"})
    assert len(there.items[TABLE]) == 30
    assert there.board.now == {"parameter /shop/a": "good"}
    assert recovery.rpo_seconds == 7200
    assert recovery.left_to_people == ("objects of papers (only listed: replicate the bucket)",)
    assert found.tables.writes == []


def test_a_dry_run_says_from_when_it_would_come_and_makes_nothing():
    found, there = world()
    recovery = play(found, request(dry_run=True))
    assert (recovery.status, recovery.rpo_seconds) == (Status.PLANNED, 7200)
    assert (there.stacks, there.staged) == ({}, {})


@pytest.mark.parametrize("without", [PointKind.FUNCTION_CODE, PointKind.STATE_MACHINE, PointKind.TEMPLATE])
def test_a_backup_that_lacks_something_is_not_half_rebuilt(without: PointKind):
    found, there = world(without=without)
    recovery = play(found, request())
    assert recovery.status is Status.FAILED
    assert "the backup holds n" in recovery.why[0]
    assert there.stacks == {}


def test_a_stack_that_fails_there_is_no_recovery():
    found, there = world()
    there.fails = True
    recovery = play(found, request())
    assert (recovery.status, recovery.why) == (
        Status.FAILED,
        ("stack shop-production there: ROLLBACK_COMPLETE",),
    )


def test_what_is_not_as_it_was_there_is_named():
    found, there = world()
    there.code = "b3RoZXI="
    recovery = play(found, request())
    assert (recovery.status, recovery.why) == (Status.FAILED, ("not as they were: code of checkout",))


def test_nothing_is_rebuilt_over_the_living():
    found, there = world()
    recovery = play(found, request(target={"account": OLD.account, "region": OLD.region}))
    assert (recovery.status, recovery.why) == (
        Status.REFUSED,
        ("target: must be another account or region",),
    )
    assert there.stacks == {}


def test_without_a_full_backup_from_before_there_is_nothing_to_build_from():
    found, _ = world()
    recovery = play(found, request(point=POINT - timedelta(days=1)))
    assert recovery.status is Status.REFUSED


def places() -> list[int]:
    """Where to interrupt: the first two calls of each kind, as most of the others only look again."""
    fuse, seen = Fuse(), Counter[str]()
    found, _ = world(fuse)
    assert play(found, request()).status is Status.RECOVERED
    numbers = []
    for number, call in enumerate(fuse.calls):
        seen[call] += 1
        if seen[call] <= 2:
            numbers.append(number)
    return numbers


PLACES = places()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("number", PLACES)
def test_interrupted_anywhere_it_goes_on(number: int, before: bool):
    fuse = Fuse()
    found, there = world(fuse)
    fuse.blow(number, before=before, error=SourceDownError("it was down once"))
    recovery = play(found, request())
    assert (recovery.status, recovery.why) == (Status.RECOVERED, ())
    assert len(there.items[TABLE]) == 30


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("number", PLACES)
def test_killed_anywhere_it_is_not_called_recovered_unless_it_is(number: int, before: bool):
    fuse = Fuse()
    found, there = world(fuse)
    fuse.blow(number, before=before, error=RuntimeError("it died for good"))
    try:
        recovery: Recovery | None = play(found, request())
    except AssertionError:  # not even begun
        recovery = None
    if recovery and recovery.status is Status.RECOVERED:
        assert len(there.items[TABLE]) == 30
        assert there.board.now == {"parameter /shop/a": "good"}
    assert len(there.stacks) <= 1


# -- names in a template


def test_names_are_resolved_by_parameters_and_pseudo_parameters():
    names = names_of(NEW, "shop-production", {"Stage": "production"})
    assert resolved({"Ref": "Stage"}, names) == "production"
    assert resolved({"Fn::Sub": "x-${AWS::AccountId}-${Stage}"}, names) == "x-111122223333-production"
    assert resolved({"Fn::Sub": "x-${Other}"}, names) is None
    assert resolved({"Fn::GetAtt": ["A", "B"]}, names) is None


def test_a_function_without_a_name_of_its_own_is_refused():
    template = {"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": "k"}}}}}
    with pytest.raises(RefusedError, match="holds nothing for F"):
        rebuilt(template, {}, {}, {})


def test_code_that_stands_in_the_template_stays():
    one = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "pass"}}}
    assert rebuilt({"Resources": {"F": one}}, {}, {}, {})["Resources"]["F"] == one
