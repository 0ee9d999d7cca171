"""Changes to a Lambda function: which version its users get, and how many of them at a time.

All of them, and the circuits of flags.py, change what one function serves, so they share its name as their target:
while one is being verified, nobody tries the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from selfright.domain.catalogue import ActionDeclaration
from selfright.domain.errors import DriftedError, RefusedError
from selfright.domain.incident import Plan
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.serving import KEPT_UNRESERVED, AliasState
from selfright.ports import Action, Instruments, Values

FUNCTION = frozenset({ResourceType.LAMBDA_FUNCTION})
NOT_RESERVED = "none"
STEP = 2  # times what is reserved now


class RollBackAlias:
    declaration: ClassVar = ActionDeclaration(
        name="lambda.roll_back_alias",
        summary="Point the alias back to the version that served well before the release",
        resource_types=FUNCTION,
        permissions=frozenset({"lambda:UpdateAlias"}),
        reading=frozenset({"lambda:GetAlias"}),
        reversible=True,
        radius="one alias of one function; no code and no data is changed",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: LambdaFunction, facts: Mapping[str, Any]
    ) -> Plan:
        known: Mapping[str, Any] = facts.get("release", {})
        previous = known.get("previous_version")
        if previous is None:
            raise RefusedError("no version is known that served before")
        alias = instruments.functions.alias(resource.name, resource.alias)
        if alias.weights:
            raise RefusedError(f"a deployment is under way: {dict(alias.weights)} go to other versions")
        if alias.version != known["live_version"]:
            raise RefusedError(
                f"the alias was moved meanwhile, from {known['live_version']} to {alias.version}"
            )
        if int(previous) >= int(alias.version):
            raise RefusedError(f"version {previous} is not older than {alias.version}")
        before = _alias_values(resource.alias, alias)
        return Plan(
            action=self.declaration.name,
            resource=key,
            target=resource.name,
            summary=f"{resource.name}: {resource.alias} from version {alias.version} back to {previous}",
            before=before,
            after={**before, "version": previous},
        )

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        name = str(plan.before["alias"])
        return _alias_values(name, instruments.functions.alias(plan.target, name))

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        name = str(values["alias"])
        alias = instruments.functions.alias(plan.target, name)
        if _alias_values(name, alias) not in (plan.before, plan.after):
            raise DriftedError(f"{plan.target}:{name} points to {alias.version} with {dict(alias.weights)}")
        # From here on the revision holds: whoever moves the alias first makes the other's call fail.
        instruments.functions.point(plan.target, name, str(values["version"]), alias.revision)


class RaiseConcurrency:
    declaration: ClassVar = ActionDeclaration(
        name="lambda.raise_concurrency",
        summary="Raise the function's reserved concurrency, within manifest and account",
        resource_types=FUNCTION,
        permissions=frozenset({"lambda:PutFunctionConcurrency"}),
        undoing=frozenset({"lambda:DeleteFunctionConcurrency"}),  # where nothing was reserved before
        reading=frozenset({"lambda:GetFunctionConcurrency", "lambda:GetAccountSettings"}),
        reversible=True,
        radius="one function; what it reserves, others cannot use",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: LambdaFunction, facts: Mapping[str, Any]
    ) -> Plan:
        del facts
        state, limits = instruments.functions.concurrency(resource.name), resource.concurrency
        if state.reserved == 0:
            # Nobody's limit that is too low: that is how people switch a function off.
            raise RefusedError("the function is switched off: its reserved concurrency is 0")
        now = state.reserved or 0
        room = now + state.account_unreserved - KEPT_UNRESERVED
        # A reservation is a cap as well: where there was none, anything below the manifest's maximum could throttle.
        least = now + 1 if now else limits.max
        units = min(max(STEP * now, limits.min) if now else limits.max, limits.max, room)
        if units < least:
            raise RefusedError(
                f"{least} would be needed; manifest ({limits.max}) or account ({room}) allow less"
            )
        return Plan(
            action=self.declaration.name,
            resource=key,
            target=resource.name,
            summary=f"{resource.name}: reserved concurrency {state.reserved or NOT_RESERVED} → {units}",
            before={"reserved": NOT_RESERVED if state.reserved is None else now},
            after={"reserved": units},
            increase_factor=units / now if now else 1.0,
        )

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        reserved = instruments.functions.concurrency(plan.target).reserved
        return {"reserved": NOT_RESERVED if reserved is None else reserved}

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        reserved = values["reserved"]
        instruments.functions.reserve(plan.target, None if reserved == NOT_RESERVED else int(reserved))


ACTIONS: tuple[Action, ...] = (RollBackAlias(), RaiseConcurrency())


def _alias_values(name: str, alias: AliasState) -> dict[str, str | int | float]:
    return {
        "alias": name,
        "version": alias.version,
        "weights": json.dumps(dict(alias.weights), sort_keys=True),
    }
