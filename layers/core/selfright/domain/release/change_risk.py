"""What a change set would do that a machine must not decide alone, read from what CloudFormation says of it.

Kinds of resources that keep data, and kinds that keep none, are two closed lists: a kind in neither is asked about
wherever it would go or be made anew. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from selfright.domain.release.permissions import POLICY_KINDS, Reach, reach

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

ALIAS, VERSION, NESTED = "AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::CloudFormation::Stack"

# Losing one of these loses data, or the key to it, or what is on its way through it.
KEEPS_DATA = {
    "AWS::Backup::BackupVault",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DocDB::DBCluster",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Events::Archive",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::Neptune::DBCluster",
    "AWS::OpenSearchService::Domain",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
    "AWS::Timestream::Database",
    "AWS::Timestream::Table",
}

# The template holds all there is of these.
KEEPS_NOTHING = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::AlarmMuteRule",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::SubscriptionFilter",
    "AWS::SNS::Subscription",
    "AWS::SSM::Parameter",
    "AWS::Scheduler::Schedule",
    *POLICY_KINDS,
}

# Properties of any resource that say what it may do, or who may use it.
_GRANTING = ("Role", "Polic", "Permission", "Principal")


class Outcome(StrEnum):
    GO = "go"
    ASK = "ask"
    STOP = "stop"


class Risk(StrEnum):
    """Why a change is not made without being asked about, or not at all. A closed list."""

    DATA_LOST = "data-lost"
    LEFT_BEHIND = "left-behind"
    MAYBE_REPLACED = "maybe-replaced"
    TRAFFIC_SHIFTED = "traffic-shifted"
    VERSION_DELETED = "version-deleted"
    PERMISSIONS_WIDER = "permissions-wider"
    PERMISSIONS_UNKNOWN = "permissions-unknown"
    NOT_SEEN_INTO = "not-seen-into"
    NOT_KNOWN = "not-known"


class Detail(BaseModel):
    """One reason why a resource changes. Words are CloudFormation's; an empty one was not told."""

    model_config = FROZEN

    attribute: str = ""
    name: str = ""
    recreation: str = ""
    evaluation: str = ""
    source: str = ""
    cause: str = ""


class ResourceChange(BaseModel):
    """What a change set would do to one resource, in CloudFormation's words; None: it does not say."""

    model_config = FROZEN

    action: str
    resource: str  # logical id
    kind: str
    replacement: str | None = None
    policy: str | None = None  # what becomes of the old resource
    details: tuple[Detail, ...] = ()

    @property
    def replaced(self) -> bool:
        return self.action == "Modify" and self.replacement == "True"


class Finding(BaseModel):
    model_config = FROZEN

    resource: str
    kind: str
    outcome: Outcome
    risk: Risk
    text: str


Resources = Mapping[str, Mapping[str, Any]]
"""Logical ids to resources, as a processed template has them."""


def findings(
    changes: Iterable[ResourceChange], before: Resources | None = None, after: Resources | None = None
) -> tuple[Finding, ...]:
    """Everything about these changes that does not simply go, worst first.

    `before`, `after`: the processed templates' resources where both are known, to compare what is granted.
    """
    found = [f for change in changes for f in _findings(change, before, after)]
    return tuple(sorted(found, key=lambda f: (f.outcome is not Outcome.STOP, f.resource)))


def overall(found: Iterable[Finding]) -> Outcome:
    outcomes = {f.outcome for f in found}
    return next((o for o in (Outcome.STOP, Outcome.ASK) if o in outcomes), Outcome.GO)


def told(found: Iterable[Finding]) -> str:
    """For people: what is said of several resources is said once."""
    groups: dict[tuple[Risk, str, str], list[str]] = {}
    for one in found:
        groups.setdefault((one.risk, one.kind, one.text), []).append(one.resource)
    return "; ".join(
        f"{risk}: {', '.join(names)} ({kind}) {text}" for (risk, kind, text), names in groups.items()
    )


def _findings(change: ResourceChange, before: Resources | None, after: Resources | None) -> Iterable[Finding]:
    def finding(outcome: Outcome, risk: Risk, text: str) -> Finding:
        return Finding(resource=change.resource, kind=change.kind, outcome=outcome, risk=risk, text=text)

    if change.action not in {"Add", "Modify", "Remove"}:
        yield finding(Outcome.ASK, Risk.NOT_KNOWN, f"would be changed in a way called {change.action}")
        return
    if change.action == "Modify" and change.replacement not in {"True", "False", "Conditional"}:
        yield finding(Outcome.ASK, Risk.NOT_KNOWN, "may or may not be replaced: CloudFormation does not say")
    if change.kind == NESTED:
        yield finding(Outcome.ASK, Risk.NOT_SEEN_INTO, "is a stack of its own, whose changes are not shown")
        return
    if not change.kind.startswith("AWS::") or change.kind == "AWS::CloudFormation::CustomResource":
        yield finding(Outcome.ASK, Risk.NOT_SEEN_INTO, "runs code of its own when it changes")
        return
    if change.kind == ALIAS:
        yield from _of_alias(change, finding)
        return
    if change.kind == VERSION:
        if (change.action == "Remove" or change.replaced) and "Retain" not in (change.policy or ""):
            text = "would be deleted, and with it a way back; its DeletionPolicy must be Retain"
            yield finding(Outcome.STOP, Risk.VERSION_DELETED, text)
        return
    yield from _of_data(change, finding)
    yield from _of_permissions(change, before, after, finding)


def _of_alias(change: ResourceChange, finding: Any) -> Iterable[Finding]:
    """CloudFormation would send all requests to another version at once; that is what a release does in steps."""
    if change.action == "Add":
        return
    harmless = {"Description", "ProvisionedConcurrencyConfig"}
    names = {d.name for d in change.details if d.attribute == "Properties"}
    if change.action == "Modify" and change.replacement == "False" and names <= harmless and change.details:
        return
    text = (
        "would be moved by CloudFormation, all requests at once; let the template keep the code and settings that"
        " its version was made from (CodeUri), and name new code in `artifacts`"
    )
    yield finding(Outcome.STOP, Risk.TRAFFIC_SHIFTED, text)


def _of_data(change: ResourceChange, finding: Any) -> Iterable[Finding]:
    if change.action == "Add" or change.kind in KEEPS_NOTHING:
        return
    goes = change.action == "Remove" or change.replaced
    data = change.kind in KEEPS_DATA
    kept = change.policy in {"Retain", "ReplaceAndRetain"}
    how = "removed" if change.action == "Remove" else "replaced"
    if goes and data and not kept:
        after = " after a snapshot" if "Snapshot" in (change.policy or "") else ""
        yield finding(Outcome.STOP, Risk.DATA_LOST, f"would be {how} and deleted{after}, with what it holds")
    elif goes and data:
        yield finding(Outcome.ASK, Risk.LEFT_BEHIND, f"would be {how}; what it holds stays in the old one")
    elif goes:
        yield finding(
            Outcome.ASK, Risk.NOT_KNOWN, f"would be {how}; whether that loses anything is not known"
        )
    elif change.replacement == "Conditional":
        causes = sorted({d.cause or d.name for d in change.details if d.recreation != "Never"})
        text = (
            f"is replaced or not, which shows only when it is done ({', '.join(causes) or 'no cause given'})"
        )
        yield finding(Outcome.ASK, Risk.MAYBE_REPLACED, text)


def _of_permissions(
    change: ResourceChange, before: Resources | None, after: Resources | None, finding: Any
) -> Iterable[Finding]:
    granting = sorted({d.name for d in change.details if any(word in d.name for word in _GRANTING)})
    if change.kind not in POLICY_KINDS and not change.kind.startswith("AWS::IAM::"):
        if change.action == "Modify" and granting:
            text = f"changes what may be done by it or with it ({', '.join(granting)})"
            yield finding(Outcome.ASK, Risk.PERMISSIONS_UNKNOWN, text)
        return
    direct = all(d.source == "DirectModification" for d in change.details)
    found = Reach.UNKNOWN
    if before is not None and after is not None and direct:
        found = reach(change.kind, _properties(before, change.resource), _properties(after, change.resource))
    if found is Reach.WIDER:
        yield finding(Outcome.ASK, Risk.PERMISSIONS_WIDER, "would allow more than before")
    elif found is Reach.UNKNOWN:
        yield finding(Outcome.ASK, Risk.PERMISSIONS_UNKNOWN, "may allow more than before")


def _properties(resources: Resources, logical_id: str) -> Mapping[str, Any]:
    """None of a resource that is not there."""
    found: Mapping[str, Any] = resources.get(logical_id, {}).get("Properties") or {}
    return found
