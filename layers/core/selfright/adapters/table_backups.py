"""Point-in-time restores to isolated copies, and what of a table's settings has to be put back on one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.scaling import TableScalingTargets
from selfright.domain.backup.restore_test import ISOLATED, RecoveryWindow
from selfright.domain.backup.settings import TABLE, TableSettings, differing, own_tags, policy_text
from selfright.domain.errors import BusyError, ConflictError, NotFoundError

TEST_TAG = "selfright:restore-test"


class DynamoDBTableBackups:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._scaling = TableScalingTargets(aws)

    def window(self, table: str) -> RecoveryWindow | None:
        found = self._recovery(table)
        if found["PointInTimeRecoveryStatus"] != "ENABLED":
            return None
        return RecoveryWindow(
            earliest=found["EarliestRestorableDateTime"],
            latest=found["LatestRestorableDateTime"],
            days=found.get("RecoveryPeriodInDays", 35),
        )

    def restore(self, table: str, copy: str, point: datetime) -> None:
        try:
            with translated(f"restoring table {table} to {copy}", changing=True):
                self._client.restore_table_to_point_in_time(
                    SourceTableName=table, TargetTableName=copy, RestoreDateTime=point
                )
        except ConflictError:
            return  # the copy's name carries the test's id: it was begun by this very test

    def ready(self, copy: str) -> bool:
        return bool(self._describe(copy)["TableStatus"] == "ACTIVE")

    def mark(self, copy: str, test: str) -> None:
        arn = self._describe(copy)["TableArn"]
        with translated(f"preparing table {copy}", changing=True):
            self._client.tag_resource(ResourceArn=arn, Tags=[{"Key": TEST_TAG, "Value": test}])
            self._client.update_continuous_backups(
                TableName=copy, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )

    def keys(self, table: str) -> tuple[str, ...]:
        found = self._describe(table)
        return _keys(found["KeySchema"], _types(found))

    def settings(self, table: str) -> TableSettings:
        found = self._describe(table)
        units = found.get("ProvisionedThroughput", {})
        on_demand = found.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
        with translated(f"reading the settings of table {table}"):
            ttl = self._client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        recovery = self._recovery(table)
        types = _types(found)
        return TableSettings(
            keys=_keys(found["KeySchema"], types),
            indexes={
                index["IndexName"]: _index(kind, index, types)
                for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
                for index in found.get(kind, ())
            },
            billing_mode="PAY_PER_REQUEST" if on_demand else "PROVISIONED",
            read_units=None if on_demand else units["ReadCapacityUnits"],
            write_units=None if on_demand else units["WriteCapacityUnits"],
            on_demand_maximum=_maximum(found.get("OnDemandThroughput", {})),
            encryption=_encryption(found.get("SSEDescription", {})),
            time_to_live=ttl.get("AttributeName")
            if ttl["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
            else None,
            stream=found.get("StreamSpecification", {}).get("StreamViewType"),
            tags=self._tags(found["TableArn"]),
            point_in_time_recovery_days=recovery.get("RecoveryPeriodInDays"),
            deletion_protection=found.get("DeletionProtectionEnabled", False),
            table_class=found.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
            autoscaling={
                direction: f"{target.minimum} to {target.maximum}"
                for direction, target in self._scaling.describe(table).items()
            },
            resource_policy=self._policy(found["TableArn"]),
            replicas=tuple(sorted(each["RegionName"] for each in found.get("Replicas", ()))),
        )

    def put_back(self, copy: str, wanted: TableSettings) -> None:
        missing = differing(wanted, self.settings(copy))
        arn = self._describe(copy)["TableArn"]
        with translated(f"setting up table {copy}", changing=True):
            if "tags" in missing:
                tags = [{"Key": key, "Value": value} for key, value in own_tags(wanted.tags).items()]
                self._client.tag_resource(ResourceArn=arn, Tags=tags)
            if "point_in_time_recovery_days" in missing and wanted.point_in_time_recovery_days:
                self._client.update_continuous_backups(
                    TableName=copy,
                    PointInTimeRecoverySpecification={
                        "PointInTimeRecoveryEnabled": True,
                        "RecoveryPeriodInDays": wanted.point_in_time_recovery_days,
                    },
                )
            if "time_to_live" in missing and wanted.time_to_live:
                self._client.update_time_to_live(
                    TableName=copy,
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": wanted.time_to_live},
                )
            if "resource_policy" in missing and wanted.resource_policy:
                policy = wanted.resource_policy.replace(TABLE, arn)
                self._client.put_resource_policy(ResourceArn=arn, Policy=policy)
            # One change a call: while one is under way the next is refused, which is BusyError.
            if "stream" in missing and wanted.stream:
                self._update(
                    copy, StreamSpecification={"StreamEnabled": True, "StreamViewType": wanted.stream}
                )
            if "table_class" in missing:
                self._update(copy, TableClass=wanted.table_class)
            if "deletion_protection" in missing:
                self._update(copy, DeletionProtectionEnabled=wanted.deletion_protection)

    def copies(self) -> Sequence[str]:
        with translated("listing restored tables"):
            pages = self._client.get_paginator("list_tables").paginate()
            names = [name for page in pages for name in page["TableNames"]]
        return [name for name in names if name.startswith(ISOLATED)]

    def delete(self, copy: str) -> bool:
        if not copy.startswith(ISOLATED):
            raise ValueError(f"{copy} is no copy of ours")
        try:
            found = self._describe(copy)
            if found["TableStatus"] == "ACTIVE":
                with translated(f"deleting table {copy}", changing=True):
                    if found.get("DeletionProtectionEnabled"):
                        self._update(copy, DeletionProtectionEnabled=False)
                    self._client.delete_table(TableName=copy)
                self._describe(copy)
        except NotFoundError:
            return True
        except BusyError:
            return False
        return False

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb")

    def _update(self, copy: str, **change: Any) -> None:
        self._client.update_table(TableName=copy, **change)

    def _describe(self, table: str) -> dict[str, Any]:
        with translated(f"describing table {table}"):
            found: dict[str, Any] = self._client.describe_table(TableName=table)["Table"]
        return found

    def _recovery(self, table: str) -> dict[str, Any]:
        with translated(f"reading the backups of table {table}"):
            found = self._client.describe_continuous_backups(TableName=table)
        recovery: dict[str, Any] = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return recovery

    def _tags(self, arn: str) -> dict[str, str]:
        with translated(f"reading the tags of {arn}"):
            pages = self._client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
            return {tag["Key"]: tag["Value"] for page in pages for tag in page.get("Tags", ())}

    def _policy(self, arn: str) -> str | None:
        try:
            with translated(f"reading the policy of {arn}"):
                return policy_text(self._client.get_resource_policy(ResourceArn=arn)["Policy"], arn)
        except NotFoundError:
            return None


def _types(found: dict[str, Any]) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}


def _keys(schema: Sequence[dict[str, str]], types: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{key['AttributeName']} {types[key['AttributeName']]} {key['KeyType']}" for key in schema)


def _index(kind: str, index: dict[str, Any], types: dict[str, str]) -> str:
    """An index on one line, without what changes by itself (status, size)."""
    projection = index["Projection"]
    attributes = ", ".join(sorted(projection.get("NonKeyAttributes", ())))
    units = index.get("ProvisionedThroughput", {})
    capacity = f"{units.get('ReadCapacityUnits', 0)}/{units.get('WriteCapacityUnits', 0)}"
    keys = ", ".join(_keys(index["KeySchema"], types))
    scope = "global" if kind.startswith("Global") else "local"
    return " ".join(f"{scope}: {keys}; {projection['ProjectionType']} {attributes}; {capacity}".split())


def _maximum(throughput: dict[str, int]) -> str | None:
    """DynamoDB spells "no maximum" as -1, or says nothing."""
    limits = {name: units for name, units in sorted(throughput.items()) if units != -1}
    return ", ".join(f"{name} {units}" for name, units in limits.items()) or None


def _encryption(description: dict[str, str]) -> str:
    if description.get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
        return "AWS_OWNED"
    return f"{description.get('SSEType', 'KMS')} {description.get('KMSMasterKeyArn', '')}".strip()
