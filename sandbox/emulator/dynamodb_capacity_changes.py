"""UpdateTable changes capacity asynchronously, and not as often as one likes.

The table is UPDATING for a while and keeps its old capacity until it is ACTIVE again; meanwhile another update is
refused with ResourceInUseException, and beyond the quotas with LimitExceededException. Source: DynamoDB API
Reference, UpdateTable.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.dynamodb_demand import Table
from sandbox.emulator.dynamodb_limits import is_provisioned
from sandbox.emulator.dynamodb_quotas import (
    DIRECTIONS,
    Quotas,
    Throughput,
    index_arn,
    is_decrease,
    is_increase,
)
from sandbox.emulator.dynamodb_refusals import OK, Answer, Handler, error, find_table
from sandbox.emulator.wrapping import original, replace

UPDATE_SECONDS = 30  # sandbox seconds; AWS names no figure, small tables take about this long

_CAPACITY = ("ProvisionedThroughput", "BillingModeSummary", "OnDemandThroughput")
_INDEXES = "GlobalSecondaryIndexes"


class CapacityChanges:
    """Holds back what UpdateTable changed until the table is ACTIVE again."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._quotas = Quotas()
        self._pending: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def update(self, update_table: Handler, data: dict[str, Any]) -> Answer:
        table = find_table(data.get("TableName"))
        if table is None or not _changes_capacity(data):
            return update_table(data)
        now = self._clock.time()
        if refusal := self._refusal(table, data, now):
            return refusal
        before = _capacity(table)
        answer = update_table(data)
        if answer[0] != OK:
            return answer
        self._note_dates(table, before, now)
        self._note_mode(table, before["BillingModeSummary"] or {}, now)
        with self._lock:
            self._pending[table["TableArn"]] = _capacity(table)
        table |= before
        table["TableStatus"] = "UPDATING"
        timer = threading.Timer(self._clock.wall_seconds(UPDATE_SECONDS), self.settle, [table])
        timer.daemon = True
        timer.start()
        updating: Answer = json_response(
            {"TableDescription": original(dynamodb, "_table_description")(table["TableName"])}
        )
        return updating

    def settle(self, table: Table) -> None:
        """Put the new capacity in force."""
        with self._lock:
            after = self._pending.pop(table["TableArn"], None)
        if after is not None:
            table |= after
            table["TableStatus"] = "ACTIVE"

    def forget(self, table_arn: str) -> None:
        """A table of the same name is another table, with quotas of its own."""
        self._quotas.decreases.pop(table_arn, None)
        self._quotas.switches.pop(table_arn, None)

    def described(self, table_arn: str, throughput: Throughput) -> Throughput:
        """`throughput` as DescribeTable shows it: with the decreases of the present UTC day."""
        return {
            "NumberOfDecreasesToday": len(self._quotas.today(table_arn, self._clock.time())),
            **throughput,
        }

    def _refusal(self, table: Table, data: dict[str, Any], now: float) -> Answer | None:
        if table["TableStatus"] != "ACTIVE":
            return error(
                "ResourceInUseException",
                f"Attempt to change a resource which is still in use: Table is being updated: {table['TableName']}",
            )
        given = data.get("ProvisionedThroughput") or {}
        leaves_on_demand = data.get("BillingMode") == "PROVISIONED" and not is_provisioned(table)
        if leaves_on_demand and not all(given.get(key) for key in DIRECTIONS):
            return error(
                "ValidationException",
                "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be "
                "specified when BillingMode is PROVISIONED",
            )
        if refusal := self._quotas.refusal(table, data, now):
            return error("LimitExceededException", f"Subscriber limit exceeded: {refusal}")
        return None

    def _note_dates(self, table: Table, before: dict[str, Any], now: float) -> None:
        """Write LastIncreaseDateTime and its like into the new throughput, and count decreases."""
        resources = [(table["TableArn"], before, table)]
        old_indexes = {index["IndexName"]: index for index in before[_INDEXES]}
        resources += [
            (index_arn(table, index), old_indexes[index["IndexName"]], index)
            for index in table[_INDEXES] or ()
            if index["IndexName"] in old_indexes
        ]
        for arn, old_resource, resource in resources:
            old = old_resource.get("ProvisionedThroughput") or {}
            new = resource.get("ProvisionedThroughput") or {}
            dates = {key: old[key] for key in ("LastIncreaseDateTime", "LastDecreaseDateTime") if key in old}
            if is_increase(old, new):
                dates["LastIncreaseDateTime"] = now
            if is_decrease(old, new):
                dates["LastDecreaseDateTime"] = now
                self._quotas.decreases.setdefault(arn, []).append(now)
            resource["ProvisionedThroughput"] = {**new, **dates}

    def _note_mode(self, table: Table, before: dict[str, Any], now: float) -> None:
        mode = (table.get("BillingModeSummary") or {}).get("BillingMode")
        if mode == before.get("BillingMode"):
            return
        last = before.get("LastUpdateToPayPerRequestDateTime")
        if mode == "PAY_PER_REQUEST":
            last = now
            self._quotas.switches.setdefault(table["TableArn"], []).append(now)
            for index in table[_INDEXES] or ():
                index["ProvisionedThroughput"] = dict.fromkeys(DIRECTIONS, 0)
        table["BillingModeSummary"] = {
            "BillingMode": mode,
            **({"LastUpdateToPayPerRequestDateTime": last} if last else {}),
        }


def install(clock: SandboxClock) -> None:
    changes = CapacityChanges(clock)

    def update_table(before: Handler) -> Handler:
        return lambda data: changes.update(before, data)

    def from_a_stack(before: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        # CloudFormation waits until the table is ACTIVE before it goes on; here the update is over at once.
        def call(data: dict[str, Any]) -> None:
            before(data)
            table = find_table(data["TableName"])
            if table is not None:
                changes.settle(table)

        return call

    def description(before: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
        def describe(name: str) -> dict[str, Any]:
            shown = before(name)
            throughput = changes.described(shown["TableArn"], shown["ProvisionedThroughput"])
            return {**shown, "ProvisionedThroughput": throughput}

        return describe

    def delete_table(before: Handler) -> Handler:
        def delete(data: dict[str, Any]) -> Answer:
            table = find_table(data.get("TableName"))
            answer = before(data)
            if table is not None and answer[0] == OK:
                changes.forget(table["TableArn"])
            return answer

        return delete

    replace(dynamodb, "_delete_table", delete_table)
    replace(dynamodb, "_update_table", update_table)
    replace(dynamodb, "_table_description", description)
    replace(provisioners, "_ddb_update_call", from_a_stack)


def _changes_capacity(data: dict[str, Any]) -> bool:
    if any(
        data.get(key) is not None for key in ("ProvisionedThroughput", "BillingMode", "OnDemandThroughput")
    ):
        return True
    return any("Update" in change for change in data.get("GlobalSecondaryIndexUpdates") or ())


def _capacity(table: Table) -> dict[str, Any]:
    """The capacity part of a table, copied deep enough to be put back."""
    kept: dict[str, Any] = {name: table.get(name) for name in _CAPACITY}
    kept[_INDEXES] = [dict(index) for index in table.get(_INDEXES) or ()]
    return kept
