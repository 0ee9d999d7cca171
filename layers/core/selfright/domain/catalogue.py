"""What every check and action declares in one place: name, parameters, permissions, and what it can tell or undo.

A check reads and answers findings: named statements that are true, false or (where it failed) unknown. Runbooks may
only speak of findings that one of their checks declares. An action changes a resource from one set of named values
to another; it can read them back, so repeating and undoing need no memory but the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from selfright.domain.manifest import ResourceType


class NoParameters(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class CheckResult(BaseModel):
    """Findings, and the numbers behind them for people and for planning."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    findings: dict[str, bool]
    facts: dict[str, Any] = Field(default_factory=dict)


class Declaration(BaseModel):
    """The part that checks and actions share. `permissions` are IAM actions, as CloudTrail names them."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str = Field(pattern=r"^[a-z]+\.[a-z_]+$")
    summary: str
    resource_types: frozenset[ResourceType]
    parameters: type[BaseModel] = NoParameters
    permissions: frozenset[str]


class CheckDeclaration(Declaration):
    findings: Mapping[str, str]


class ActionDeclaration(Declaration):
    """`permissions` make the change; `undoing` is what taking it back needs besides, `reading` plan and read-back."""

    reading: frozenset[str]
    undoing: frozenset[str] = frozenset()
    reversible: bool
    radius: str
