"""Whom a signal without an alarm concerns, by what the manifest names."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.concern import Concern, concern
from selfright.domain.manifest import Severity, Symptom
from selfright.domain.signal import Signal, SignalKind
from tests.unit.usecases.world import ACCOUNT, REGION, WENT_OFF, workload

MONITOR = f"arn:aws:ce::{ACCOUNT}:anomalymonitor/abcdef12-1234-4ea0-84cc-918a97d736ef"
SHOP = workload(
    resources={
        "orders-function": {"type": "lambda-function", "name": "shop-development-orders"},  # as the table
        "bus": {"type": "event-bus", "name": "shop-development"},
        "photos": {"type": "s3-bucket", "name": "shop-development-photos"},
        "jobs": {"type": "sqs-queue", "name": "shop-development-jobs"},
        "checkout-steps": {"type": "state-machine", "name": "shop-development-steps"},
    },
    sources={"budgets": ["{workload} {environment}"], "cost_monitors": [MONITOR], "applications": ["shop"]},
)
HERE = f"{REGION}:{ACCOUNT}"


def told(kind: SignalKind, name: str = "it", **more: Any) -> Signal:
    return Signal(
        kind=kind,
        account=ACCOUNT,
        region=REGION,
        name=name,
        subject="subject",
        state=State.ALARM,
        at=WENT_OFF,
        **more,
    )


@pytest.mark.parametrize(
    ("named", "resource"),
    [
        (f"arn:aws:dynamodb:{HERE}:table/shop-development-orders", "orders"),
        (f"arn:aws:dynamodb:{HERE}:table/shop-development-orders/index/by-day", "orders"),
        (f"arn:aws:lambda:{HERE}:function:shop-development-orders", "orders-function"),
        (f"arn:aws:lambda:{HERE}:function:shop-development-checkout:live", "checkout"),
        (f"arn:aws:events:{HERE}:event-bus/shop-development", "bus"),
        ("arn:aws:s3:::shop-development-photos", "photos"),
        (f"arn:aws:sqs:{HERE}:shop-development-jobs", "jobs"),
        (f"arn:aws:states:{HERE}:stateMachine:shop-development-steps", "checkout-steps"),
        ("shop-development-checkout", "checkout"),
    ],
)
def test_a_resource_is_known_by_its_arn_or_its_name(named: str, resource: str):
    found = concern(told(SignalKind.HEALTH, resources=("i-abcd1111", named), severity=Severity.LOW), [SHOP])

    assert found == (SHOP, Concern(resource, Symptom.AVAILABILITY, Severity.LOW))


@pytest.mark.parametrize(
    "named",
    [
        f"arn:aws:dynamodb:{HERE}:table/shop-development-checkout",  # that name is a function's
        f"arn:aws:rds:{HERE}:db:shop-development-orders",
        "arn:aws:lambda",
        "",
    ],
)
def test_what_only_looks_alike_concerns_nobody(named: str):
    assert concern(told(SignalKind.BACKUP, resources=(named,)), [SHOP]) is None


@pytest.mark.parametrize(
    ("one", "symptom"),
    [
        (told(SignalKind.STACK, "shop-development"), Symptom.DEPLOYMENT),
        (told(SignalKind.DRIFT, "shop-development"), Symptom.DEPLOYMENT),
        (told(SignalKind.DEPLOYMENT, "shop"), Symptom.DEPLOYMENT),
        (
            told(SignalKind.DEPLOYMENT, "shop-development-ServerlessDeploymentApplication-1A2B"),
            Symptom.DEPLOYMENT,
        ),
        (told(SignalKind.BUDGET, "shop development"), Symptom.COST),
    ],
)
def test_what_is_none_of_the_resources_keeps_its_own_name(one: Signal, symptom: Symptom):
    assert concern(one, [SHOP]) == (SHOP, Concern(one.name, symptom, Severity.MEDIUM))


def test_a_cost_anomaly_is_known_by_its_monitor():
    found = concern(told(SignalKind.COST_ANOMALY, "Amazon Bedrock", resources=(MONITOR,)), [SHOP])

    assert found == (SHOP, Concern(MONITOR, Symptom.COST, Severity.MEDIUM))


@pytest.mark.parametrize(
    "kind", [SignalKind.STACK, SignalKind.BUDGET, SignalKind.COST_ANOMALY, SignalKind.DEPLOYMENT]
)
def test_another_name_concerns_nobody(kind: SignalKind):
    assert concern(told(kind, "shop-production", resources=("shop-production",)), [SHOP]) is None


def test_the_stack_is_named_by_convention_unless_the_manifest_says_otherwise():
    renamed = workload(sources={"stacks": ["shop-stack"]})

    assert workload().sources.stacks == ("shop-development",)
    assert concern(told(SignalKind.STACK, "shop-development"), [renamed]) is None
    assert concern(told(SignalKind.STACK, "shop-stack"), [renamed])
