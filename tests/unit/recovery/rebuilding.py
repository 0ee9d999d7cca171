"""A full backup of the shop, and an account that it is built anew in, in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from selfright.backup_ports import Item
from selfright.domain.backup.catalogue import Place, PointKind, RecoveryPoint
from selfright.domain.manifest import load
from selfright.domain.recovery.record import Recovery
from selfright.domain.recovery.request import RecoverInput
from selfright.domain.recovery.steps import Go
from selfright.domain.recovery.template import Account, Code
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
