"""Open the circuit to a failing dependency: the application's own flag sends its requests another way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from selfright.domain.catalogue import ActionDeclaration
from selfright.domain.errors import RefusedError
from selfright.domain.incident import Plan
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.serving import FlagPlace
from selfright.ports import Action, Instruments, Values

OPEN, CLOSED = "open", "closed"


class OpenCircuit:
    declaration: ClassVar = ActionDeclaration(
        name="flags.open_circuit",
        summary="Throw the flag that keeps the application away from the failing dependency",
        resource_types=frozenset({ResourceType.LAMBDA_FUNCTION}),
        permissions=frozenset(
            {
                "appconfig:CreateHostedConfigurationVersion",
                "appconfig:StartDeployment",
                # Flags are named in the manifest; AppConfig wants ids to change one.
                "appconfig:ListApplications",
                "appconfig:ListConfigurationProfiles",
                "appconfig:ListEnvironments",
            }
        ),
        reading=frozenset({"appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"}),
        reversible=True,
        radius="one flag of one workload; everything that reads it",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: LambdaFunction, facts: Mapping[str, Any]
    ) -> Plan:
        dependency = facts.get("failing_dependency")
        circuit = resource.circuits.get(dependency) if dependency else None
        if circuit is None:
            raise RefusedError(f"the manifest names no circuit for {dependency or 'what fails'}")
        place = FlagPlace(**circuit.model_dump())
        if instruments.flags.read(place):
            raise RefusedError(f"the circuit to {dependency} is open already, by flag {circuit.flag}")
        return Plan(
            action=self.declaration.name,
            resource=key,
            # The function, not the flag: while this is being verified, nobody rolls the function back.
            target=resource.name,
            summary=f"{resource.name}: circuit to {dependency} opened by flag {circuit.flag}",
            before={"flag": str(place), "circuit": CLOSED},
            after={"flag": str(place), "circuit": OPEN},
        )

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        thrown = instruments.flags.read(FlagPlace.parse(str(plan.before["flag"])))
        return {**plan.before, "circuit": OPEN if thrown else CLOSED}

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        instruments.flags.throw(FlagPlace.parse(str(plan.before["flag"])), values["circuit"] == OPEN)


ACTIONS: tuple[Action, ...] = (OpenCircuit(),)
