"""What an action is: plan from facts, read the values as they are, set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from selfright.domain.catalogue import ActionDeclaration
from selfright.domain.incident import Plan
from selfright.ports import Instruments

Values = Mapping[str, str | int | float]


class Action(Protocol):
    """`apply(plan.after)` is the remedy, `apply(plan.before)` its undo; both may be repeated."""

    declaration: ClassVar[ActionDeclaration]

    def plan(self, instruments: Instruments, key: str, resource: Any, facts: Mapping[str, Any]) -> Plan:
        """What would be changed, from the resource as it is now and the facts of the checks.

        Raises RefusedError with a reason for people where the change would not help or is not allowed.
        """

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        """The plan's values as they are now.

        Raises NotFoundError, SourceDownError.
        """

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        """Set `values` (the plan's before or after).

        Raises RefusedError where AWS will not do it (a quota), SourceDownError where it could not be asked.
        """
