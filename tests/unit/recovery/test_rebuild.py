"""A whole workload in another account: built from one backup, proven, and refused where anything is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from selfright.backup_ports import Item
from selfright.domain.backup.catalogue import Place, PointKind, RecoveryPoint
from selfright.domain.errors import RefusedError, SourceDownError
from selfright.domain.manifest import load
from selfright.domain.recovery.record import Recovery, Status
from selfright.domain.recovery.request import RecoverInput
from selfright.domain.recovery.steps import Go
from selfright.domain.recovery.template import Account, Code, names_of, rebuilt, resolved
from selfright.usecases.rebuild_workload import rebuild_workload
from tests.fakes import Fuse
from tests.fakes.recovering import FakeKept, FakeSettingsBoard
from tests.unit.backup.world import orders
from tests.unit.recovery.world import MANIFEST, POINT, World

OLD, NEW = Account("aws", "123456789012", "eu-central-1"), Account("aws", "111122223333", "eu-west-1")
TABLE, FUNCTION, MACHINE = "shop-production-orders", "shop-production-checkout", "shop-production-flow"
TEMPLATE = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {"TableName": {"Fn::Sub": "shop-${Stage}-orders"}},
        },
        "Checkout": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": {"Fn::Sub": "shop-${Stage}-checkout"},
                "Code": {"S3Bucket": "gone", "S3Key": "gone.zip"},
            },
        },
        "Flow": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": {"Fn::Sub": "shop-${Stage}-flow"},
                "DefinitionS3Location": {"Bucket": "gone", "Key": "gone.json"},
                "DefinitionSubstitutions": {"X": "y"},
            },
        },
    }
}
DEFINITION = '{"Resource": "arn:aws:lambda:eu-central-1:123456789012:function:shop-production-checkout"}'
SHOP = {
    **MANIFEST,
    "sources": {"stacks": ["shop-production"]},
    "resources": {
        "orders": {"type": "dynamodb-table", "name": TABLE},
        "checkout": {"type": "lambda-function", "name": FUNCTION},
        "flow": {"type": "state-machine", "name": MACHINE},
        "papers": {"type": "s3-bucket", "name": "shop-production-papers"},
    },
}


class FakeElsewhere:
    where = NEW

    def __init__(self) -> None:
        self.board = FakeSettingsBoard()
        self.staged: dict[str, bytes] = {}
        self.stacks: dict[str, dict[str, Any]] = {}
        self.items: dict[str, dict[str, Item]] = {}
        self.looks = 0
        self.fails = False
        self.code = "c2hh"

    def stage(self, name: str, body: bytes) -> Code:
        self.staged[name] = body
        return Code("staging", name)

    def stack_status(self, stack: str) -> str | None:
        if stack not in self.stacks:
            return None
        self.looks += 1
        return (
            "ROLLBACK_COMPLETE"
            if self.fails
            else "CREATE_IN_PROGRESS"
            if self.looks < 3
            else "CREATE_COMPLETE"
        )

    def create_stack(
        self, stack: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        assert stack not in self.stacks
        self.stacks[stack] = {"template": json.loads(template), "parameters": parameters, "tags": tags}

    def fill(self, table: str, items: Iterable[Item]) -> int:
        found = {item["pk"]["S"]: item for item in items}
        self.items.setdefault(table, {}).update(found)
        return len(found)

    def missing(self, table: str, items: Iterable[Item]) -> bool:
        return {item["pk"]["S"]: item for item in items} != self.items.get(table)

    def code_sha256(self, function: str, alias: str) -> str:
        assert (function, alias) == (FUNCTION, "live")
        return self.code

    def alarms(self, names: Collection[str]) -> set[str]:
        return set(names)


class Kept(FakeKept):
    def items(self, point: RecoveryPoint) -> Iterable[Item]:
        assert point.kind is PointKind.TABLE_EXPORT
        return orders(30)


def point(kind: PointKind, source: str, **details: Any) -> RecoveryPoint:
    return RecoveryPoint(
        workload="shop",
        environment="production",
        run="bk-1",
        run_began_at=POINT - timedelta(hours=2),
        kind=kind,
        source=source,
        taken_at=POINT - timedelta(hours=2),
        place=Place(bucket="kept", key=f"{kind}/{source}"),
        details=details,
    )


def world(fuse: Fuse | None = None, *, without: PointKind | None = None) -> tuple[World, FakeElsewhere]:
    found = World(fuse)
    found.desk.workloads["shop"] = load(SHOP, {}, "production")  # type: ignore[index]
    documents: list[tuple[RecoveryPoint, Any]] = [
        (
            point(PointKind.TEMPLATE, "shop-production"),
            {
                "stack": {"Tags": [{"Key": "team", "Value": "blue"}]},
                "parameters": {"Stage": "production"},
                "processed": json.dumps(TEMPLATE),
            },
        ),
        (point(PointKind.FUNCTION_CODE, "checkout", code_sha256="c2hh"), "zip"),
        (point(PointKind.STATE_MACHINE, "flow"), {"definition": DEFINITION}),
        (point(PointKind.TABLE_EXPORT, "orders", items=30), None),
        (point(PointKind.OBJECT_INVENTORY, "papers"), None),
        (
            point(PointKind.CONFIGURATION, "shop"),
            {"parameters": {"/shop/a": {"type": "String", "version": 1, "value": "good"}}},
        ),
    ]
    documents = [(p, d) for p, d in documents if p.kind is not without]
    manifest = {"points": [p.model_dump(mode="json") for p, _ in documents]}
    kept = Kept()
    kept.points = [(p, json.dumps(d).encode()) for p, d in documents]
    kept.points.append((point(PointKind.SYSTEM_STATE, "shop"), json.dumps(manifest).encode()))
    there = FakeElsewhere()
    guarded: Any = (fuse or Fuse()).guard("there", there)
    guarded_all = _Elsewhere(guarded, there)
    found.rooms[Go.WORKLOAD] = lambda r: rebuild_workload(
        r, desk=found.desk, kept=kept, elsewhere=lambda _target, _recovery: guarded_all
    )
    return found, there


class _Elsewhere:
    """Calls go by the fuse, values do not."""

    def __init__(self, guarded: Any, there: FakeElsewhere) -> None:
        self._guarded, self.where, self.board = guarded, there.where, there.board

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self._guarded, name)
        return found


def request(**given: Any) -> RecoverInput:
    known = {
        "workload": "shop",
        "environment": "production",
        "scenario": "whole-workload",
        "point": POINT,
        "target": {"account": NEW.account, "region": NEW.region},
        "requested_by": "ada",
        "reason": "the account is lost",
        "dry_run": False,
    }
    return RecoverInput.model_validate({**known, **given})


def play(found: World, asked: RecoverInput) -> Recovery:
    return found.play(asked)


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
