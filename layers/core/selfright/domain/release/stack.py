"""The stack of a workload: what CloudFormation says of it, and how far a release has changed it.

Status codes: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from selfright.domain.release.change_risk import Finding, ResourceChange

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

# The only states in which CloudFormation takes a change set and that are whole.
CHANGEABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
WEDGED = {
    "UPDATE_ROLLBACK_FAILED": "`selfright deploy unstick` lets CloudFormation go on with it",
    "UPDATE_FAILED": "it was updated without roll-back; roll it back (RollbackStack)",
    "ROLLBACK_COMPLETE": "it was never made; delete it and make it anew",
    "ROLLBACK_FAILED": "it was never made; delete it and make it anew",
    "CREATE_FAILED": "it was never made; delete it and make it anew",
    "DELETE_FAILED": "it is half deleted; delete it again, or retain what does not go",
    "IMPORT_ROLLBACK_FAILED": "an import was not taken back; see its events",
    "REVIEW_IN_PROGRESS": "it was never made; execute its first change set",
    "DELETE_COMPLETE": "it is deleted",
}
EMPTY = ("didn't contain changes", "No updates are to be performed")


class StackState(BaseModel):
    """`parameters`: None of one that must not be told (NoEcho)."""

    model_config = FROZEN

    status: str
    reason: str = ""
    parameters: Mapping[str, str | None] = {}

    @property
    def moving(self) -> bool:
        """CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status not in WEDGED

    def objection(self) -> str | None:
        """Why it may not be changed now, with what to do about it."""
        if self.status in CHANGEABLE:
            return None
        if self.moving:
            return f"it is {self.status}: another update is under way; ask again when it is over"
        return f"it is {self.status}: {WEDGED.get(self.status, 'a state that is not known here')}"


class Drifted(BaseModel):
    """A resource that is not as its template says. `properties`: JSON pointers; none where it is gone."""

    model_config = FROZEN

    resource: str
    kind: str
    status: str
    properties: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """An alias where some release left it."""
        heads = {path.split("/")[1] for path in self.properties if path.startswith("/")}
        moved = {"FunctionVersion", "RoutingConfig"}
        return (
            self.kind == "AWS::Lambda::Alias" and self.status == "MODIFIED" and bool(heads) and heads <= moved
        )


class DriftLook(BaseModel):
    """`detection` and `status` in CloudFormation's words."""

    model_config = FROZEN

    detection: str
    status: str = ""
    reason: str = ""
    drifted: tuple[Drifted, ...] = ()

    @property
    def looking(self) -> bool:
        return self.detection == "DETECTION_IN_PROGRESS"

    def objection(self) -> str | None:
        """Why a release must not go over it; what is not known is an objection."""
        if self.detection != "DETECTION_COMPLETE":
            return f"whether it drifted is not known: {self.detection} {self.reason}".strip()
        if self.status not in {"IN_SYNC", "DRIFTED"}:
            return f"whether it drifted is not known: {self.status or 'no answer'}"
        if self.status == "DRIFTED" and not self.drifted:
            return "it drifted, and where is not told"
        others = [one for one in self.drifted if not one.ours]
        told = ", ".join(
            f"{one.resource} {one.status.lower()} {' '.join(one.properties)}".strip() for one in others
        )
        return f"not as its template says: {told}" if others else None


class ChangeSet(BaseModel):
    """`status` and `execution` in CloudFormation's words; `parameters`: those that the stack will have."""

    model_config = FROZEN

    status: str
    execution: str = ""
    reason: str = ""
    changes: tuple[ResourceChange, ...] = ()
    parameters: frozenset[str] = frozenset()

    @property
    def pending(self) -> bool:
        return self.status in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}

    @property
    def empty(self) -> bool:
        return self.status == "FAILED" and any(words in self.reason for words in EMPTY)


class StackChange(BaseModel):
    """How far a release has changed its stack, and what it takes to change it back.

    `before`, `after`: digests of the templates. `parameters_before`: None of one that is kept as it is.
    """

    model_config = FROZEN

    name: str
    drift: str | None = None  # id of the detection
    unchanged: bool = False
    findings: tuple[Finding, ...] = ()
    added: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    parameters_before: Mapping[str, str | None] = {}
    parameters_after: Mapping[str, str | None] | None = None
    began_at: AwareDatetime | None = None
    done_at: AwareDatetime | None = None
    continued: int = Field(default=0, ge=0)  # how often its roll-back was asked to go on
    restored_at: AwareDatetime | None = None

    @property
    def touched(self) -> bool:
        """A change set was, or may have been, executed."""
        return self.began_at is not None

    def but(self, **changes: Any) -> StackChange:
        return self.model_copy(update=changes)


def change_set_name(release_id: str, *, back: bool = False) -> str:
    """One of each for a release, so that a repeated room finds its own; at most 128 characters, a letter first."""
    return f"selfright-{release_id}{'-back' if back else ''}"


def digest(template: str) -> str:
    return hashlib.sha256(template.encode()).hexdigest()
