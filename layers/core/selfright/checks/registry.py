"""How a check is declared: one decorator above the function that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfright.domain.catalogue import CheckDeclaration, CheckResult
from selfright.domain.manifest import Resource
from selfright.ports import Instruments

Run = Callable[[Instruments, Any, Any], CheckResult]


@dataclass(frozen=True)
class DeclaredCheck:
    declaration: CheckDeclaration
    run: Run

    def __call__(
        self, instruments: Instruments, resource: Resource, parameters: dict[str, Any]
    ) -> CheckResult:
        """Run on `resource`.

        Raises SourceDownError where something cannot be read, NotFoundError where the resource is gone.
        """
        return self.run(instruments, resource, self.declaration.parameters.model_validate(parameters))


def check(declaration: CheckDeclaration) -> Callable[[Run], DeclaredCheck]:
    """Declare the decorated function as a check."""
    return lambda run: DeclaredCheck(declaration, run)
