"""CloudFormation in memory: one stack, its template as JSON, change sets that take a look to be made and executed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.release import StackTemplate
from selfright.domain.release.change_risk import Detail, ResourceChange
from selfright.domain.release.stack import ChangeSet, DriftLook, StackState
from selfright.stack_ports import TemplateText

Template = dict[str, Any]


@dataclass
class Proposed:
    template: str
    parameters: dict[str, str]
    changes: tuple[ResourceChange, ...]
    execution: str = "AVAILABLE"
    looks: int = 1  # until it is made


class FakeStacks:
    """`broken`: resources that cannot be made. `wedged`: those that cannot be put back either."""

    def __init__(self, name: str, template: Template, **parameters: str) -> None:
        self.name = name
        self.gone = False
        self.status = "CREATE_COMPLETE"
        self.body = json.dumps(template)
        self.parameters = parameters
        self.broken: set[str] = set()
        self.wedged: set[str] = set()
        self.drifted = DriftLook(detection="DETECTION_COMPLETE", status="IN_SYNC")
        self.change_sets: dict[str, Proposed] = {}
        self.done: list[str] = []  # change sets that were executed, and what else changed the stack
        self._drift_looks: dict[str, int] = {}
        self._running: str | None = None
        self._looks = 0
        self._reason = ""

    # -- the port

    def state(self, stack: str) -> StackState:
        self._there(stack)
        if self.status.endswith("_IN_PROGRESS"):
            self._looks -= 1
            if self._looks < 0:
                self._end()
        return StackState(status=self.status, reason=self._reason, parameters=dict(self.parameters))

    def look_for_drift(self, stack: str) -> str:
        self._there(stack)
        look = f"look-{len(self._drift_looks)}"
        self._drift_looks[look] = 1
        return look

    def drift(self, stack: str, look: str) -> DriftLook:
        self._there(stack)
        if self._drift_looks[look]:
            self._drift_looks[look] -= 1
            return DriftLook(detection="DETECTION_IN_PROGRESS")
        return self.drifted

    def template(self, stack: str, change_set: str | None = None) -> str:
        self._there(stack)
        return self.change_sets[change_set].template if change_set else self.body

    def resources(self, stack: str, change_set: str | None = None) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] = json.loads(self.template(stack, change_set))["Resources"]
        return found

    def propose(
        self, stack: str, name: str, template: TemplateText, parameters: Mapping[str, str | None]
    ) -> None:
        self._there(stack)
        if name in self.change_sets:
            return
        declared = json.loads(template.text).get("Parameters", {})
        wanted = {k: v for k, v in parameters.items() if v is not None and k in declared}
        kept = {k: v for k, v in self.parameters.items() if k in declared}
        changes = _changes(json.loads(self.body)["Resources"], json.loads(template.text)["Resources"])
        self.change_sets[name] = Proposed(template.text, {**kept, **wanted}, changes)

    def change_set(self, stack: str, name: str) -> ChangeSet | None:
        assert stack == self.name
        made = self.change_sets.get(name)
        if made is None:
            return None
        if made.looks:
            made.looks -= 1
            return ChangeSet(status="CREATE_IN_PROGRESS", execution="UNAVAILABLE")
        if not made.changes and made.parameters == self.parameters and made.execution == "AVAILABLE":
            reason = "The submitted information didn't contain changes."
            return ChangeSet(status="FAILED", execution="UNAVAILABLE", reason=reason)
        return ChangeSet(
            status="CREATE_COMPLETE",
            execution=made.execution,
            changes=made.changes,
            parameters=frozenset(made.parameters),
        )

    def discard(self, stack: str, name: str) -> None:
        assert stack == self.name
        self.change_sets.pop(name, None)

    def execute(self, stack: str, name: str) -> None:
        self._there(stack)
        made = self.change_sets.get(name)
        if made is None:
            raise NotFoundError(f"change set {name} does not exist")
        if made.execution != "AVAILABLE" or self.status.endswith("_IN_PROGRESS"):
            raise BusyError(f"change set {name} is {made.execution}")
        made.execution = "EXECUTE_IN_PROGRESS"
        self.change_sets = {name: made}
        self.status, self._running, self._looks = "UPDATE_IN_PROGRESS", name, 1
        self.done.append(name)

    def go_on_rolling_back(self, stack: str, skip: Sequence[str] = ()) -> None:
        self._there(stack)
        if self.status != "UPDATE_ROLLBACK_FAILED":
            raise RefusedError("ContinueUpdateRollback cannot be called from current stack status")
        self.done.append(f"continued, skipping {', '.join(skip)}" if skip else "continued")
        self.wedged -= set(skip)
        self.status, self._looks = "UPDATE_ROLLBACK_IN_PROGRESS", 1

    def failure(self, stack: str, since: datetime) -> str:
        assert stack == self.name, since
        return self._reason

    # -- for tests

    def somebody_updates(self, template: Template) -> None:
        self.body = json.dumps(template)
        self.status = "UPDATE_COMPLETE"
        self.change_sets.clear()

    def _end(self) -> None:
        if self.status == "UPDATE_ROLLBACK_IN_PROGRESS":
            self.status = "UPDATE_ROLLBACK_FAILED" if self.wedged else "UPDATE_ROLLBACK_COMPLETE"
            return
        made = self.change_sets[str(self._running)]
        if failed := sorted(self.broken & {change.resource for change in made.changes}):
            made.execution = "EXECUTE_FAILED"
            self._reason = f"{failed[0]} CREATE_FAILED: it is broken"
            self.status, self._looks = "UPDATE_ROLLBACK_IN_PROGRESS", 1
            return
        made.execution, self.status = "EXECUTE_COMPLETE", "UPDATE_COMPLETE"
        self.body, self.parameters = made.template, made.parameters

    def _there(self, stack: str) -> None:
        if self.gone or stack != self.name:
            raise NotFoundError(f"Stack with id {stack} does not exist")


class FakeTemplates:
    """`uploaded`: by key. What is kept is by release."""

    def __init__(self) -> None:
        self.uploaded: dict[str, str] = {}
        self._kept: dict[str, str] = {}

    def fetch(self, template: StackTemplate) -> TemplateText:
        if template.key not in self.uploaded:
            raise NotFoundError(f"s3://{template.bucket}/{template.key} does not exist")
        return TemplateText(self.uploaded[template.key])

    def keep(self, release_id: str, text: str) -> None:
        self._kept[release_id] = text

    def kept(self, release_id: str) -> TemplateText:
        return TemplateText(self._kept[release_id])


def _changes(before: Template, after: Template) -> tuple[ResourceChange, ...]:
    """A table whose KeySchema changes is replaced, anything else is changed in place."""
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        kind = (new or old or {})["Type"]
        action = "Add" if old is None else "Remove" if new is None else "Modify"
        policy = (old or {}).get("DeletionPolicy", "Delete") if action == "Remove" else None
        changed: list[str] = []
        if old and new:
            a, b = old.get("Properties", {}), new.get("Properties", {})
            changed = sorted(key for key in {*a, *b} if a.get(key) != b.get(key))
        details = tuple(
            Detail(
                attribute="Properties",
                name=key,
                recreation="Never",
                evaluation="Static",
                source="DirectModification",
            )
            for key in changed
        )
        replacement = None if action != "Modify" else "True" if "KeySchema" in changed else "False"
        found.append(
            ResourceChange(
                action=action,
                resource=name,
                kind=kind,
                replacement=replacement,
                policy=policy,
                details=details,
            )
        )
    return tuple(found)
