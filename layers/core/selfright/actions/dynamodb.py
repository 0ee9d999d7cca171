"""Changes to a DynamoDB table's capacity. None of them is made for a hot partition or an owner's own cost cap.

Limits come from the manifest (`capacity`): never below min_units, never above max_units. The step is chosen so that
the busiest minute's demand uses `target_utilisation` of the new capacity. Demand counts every throttled request as
if it had been served; retries of one request count each, so it is an upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from selfright.domain.catalogue import ActionDeclaration
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.incident import Plan
from selfright.domain.manifest import DynamoDBTable, ResourceType
from selfright.ports import Action, Instruments, Values

PROVISIONED, ON_DEMAND = "PROVISIONED", "PAY_PER_REQUEST"
TABLE = frozenset({ResourceType.DYNAMODB_TABLE})
DESCRIBE = frozenset({"dynamodb:DescribeTable"})


class RaiseCapacity:
    declaration: ClassVar = ActionDeclaration(
        name="dynamodb.raise_capacity",
        summary="Raise the provisioned units of the starved direction to what the demand needs",
        resource_types=TABLE,
        permissions=frozenset({"dynamodb:UpdateTable"}),
        reading=DESCRIBE,
        reversible=True,
        radius="one table; units within the manifest's limits",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: DynamoDBTable, facts: Mapping[str, Any]
    ) -> Plan:
        before = _values(instruments, resource.name)
        if before["mode"] != PROVISIONED:
            raise RefusedError("the table is in on-demand mode: it has no units to raise")
        after = {**before}
        for direction in _starved(facts):
            units = f"{direction}_units"
            after[units] = max(int(before[units]), _needed(resource, facts, direction))
        if after == before:
            raise RefusedError("the table already has the units that the demand needs")
        return _plan(self, key, resource, before, after)

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        return _values(instruments, plan.target)

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        _set(instruments, plan, values)


class SwitchToOnDemand:
    declaration: ClassVar = ActionDeclaration(
        name="dynamodb.switch_to_on_demand",
        summary="Switch the table to on-demand, where the demand is beyond the manifest's limits",
        resource_types=TABLE,
        permissions=frozenset({"dynamodb:UpdateTable"}),
        reading=DESCRIBE,
        reversible=True,
        radius="one table; cost follows the traffic",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: DynamoDBTable, facts: Mapping[str, Any]
    ) -> Plan:
        del facts
        if not resource.capacity.on_demand_allowed:
            raise RefusedError("the manifest does not allow on-demand mode for this table")
        before = _values(instruments, resource.name)
        if before["mode"] == ON_DEMAND:
            raise RefusedError("the table is in on-demand mode already")
        if indexes := instruments.tables.describe(resource.name).indexes:
            # Going back to provisioned mode takes units for every index, and those are not on record.
            raise RefusedError(f"the switch could not be undone: the table has {indexes} secondary index(es)")
        return _plan(self, key, resource, before, {"mode": ON_DEMAND, "read_units": 0, "write_units": 0})

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        return _values(instruments, plan.target)

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        _set(instruments, plan, values)


class RaiseAutoscalingMaximum:
    declaration: ClassVar = ActionDeclaration(
        name="dynamodb.raise_autoscaling_maximum",
        summary="Raise the upper bound of Application Auto Scaling, which then raises the table by itself",
        resource_types=TABLE,
        permissions=frozenset({"application-autoscaling:RegisterScalableTarget"}),
        reading=frozenset({"application-autoscaling:DescribeScalableTargets"}),
        reversible=True,
        radius="the scalable targets of one table; units within the manifest's limits",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: DynamoDBTable, facts: Mapping[str, Any]
    ) -> Plan:
        before = self._maxima(instruments, resource.name)
        after = {**before}
        for direction in _starved(facts):
            if direction in before:
                after[direction] = max(int(before[direction]), _needed(resource, facts, direction))
        if after == before:
            raise RefusedError("autoscaling may already go as high as the demand needs")
        return _plan(self, key, resource, before, after)

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        return self._maxima(instruments, plan.target)

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        for direction, maximum in values.items():
            if plan.before[direction] != plan.after[direction]:
                instruments.scaling.set_maximum(plan.target, direction, int(maximum))

    @staticmethod
    def _maxima(instruments: Instruments, table: str) -> dict[str, str | int | float]:
        return {d: t.maximum for d, t in instruments.scaling.describe(table).items()}


ACTIONS: tuple[Action, ...] = (RaiseAutoscalingMaximum(), RaiseCapacity(), SwitchToOnDemand())


def _starved(facts: Mapping[str, Any]) -> list[str]:
    starved: list[str] = facts.get("starved", [])
    if not starved:
        raise RefusedError("nothing shows which direction, read or write, lacks capacity")
    return starved


def _needed(resource: DynamoDBTable, facts: Mapping[str, Any], direction: str) -> int:
    limits = resource.capacity
    demand: float = facts["usage"][direction]["demand_peak"]
    units = math.ceil(demand / limits.target_utilisation)
    return min(max(units, limits.min_units), limits.max_units)


def _plan(
    action: Action, key: str, resource: DynamoDBTable, before: dict[str, Any], after: dict[str, Any]
) -> Plan:
    changed = {k: v for k, v in after.items() if v != before[k]}
    # A step from 1 to 5 units is no five-fold risk where 5 is the least that the manifest wants.
    floor = resource.capacity.min_units
    factors = [v / max(before[k], floor) for k, v in changed.items() if isinstance(v, int) and v]
    text = ", ".join(f"{k.replace('_', ' ')} {before[k]} → {v}" for k, v in changed.items())
    return Plan(
        action=action.declaration.name,
        resource=key,
        target=resource.name,
        summary=f"{resource.name}: {text}",
        before=before,
        after=after,
        increase_factor=max(factors, default=1.0),
    )


def _values(instruments: Instruments, table: str) -> dict[str, str | int | float]:
    state = instruments.tables.describe(table)
    if state.status != "ACTIVE":
        raise BusyError(f"{table} is {state.status}: an earlier change is still under way")
    mode = ON_DEMAND if state.on_demand else PROVISIONED
    return {"mode": mode, "read_units": state.read_units or 0, "write_units": state.write_units or 0}


def _set(instruments: Instruments, plan: Plan, values: Values) -> None:
    if values["mode"] == ON_DEMAND:
        instruments.tables.set_on_demand(plan.target)
    else:
        instruments.tables.set_provisioned(plan.target, int(values["read_units"]), int(values["write_units"]))
