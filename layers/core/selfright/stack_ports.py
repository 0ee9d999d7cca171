"""What a release's infrastructure part needs: stacks, and the templates they are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from selfright.domain.release import StackTemplate
from selfright.domain.release.stack import ChangeSet, DriftLook, StackState


class TemplateText(NamedTuple):
    """A template; `url`: where CloudFormation may fetch exactly this text, None where it cannot be sure to."""

    text: str
    url: str | None = None


class Stacks(Protocol):
    """CloudFormation stacks. Every method but `change_set` raises NotFoundError where the stack does not exist."""

    def state(self, stack: str) -> StackState: ...

    def look_for_drift(self, stack: str) -> str:
        """Start looking; the id of that look. Raises BusyError while an earlier one goes on."""

    def drift(self, stack: str, look: str) -> DriftLook: ...

    def template(self, stack: str, change_set: str | None = None) -> str:
        """As it was handed in: the one in force, or a change set's."""

    def resources(self, stack: str, change_set: str | None = None) -> Mapping[str, Any] | None:
        """The resources of the processed template; None where it cannot be read."""

    def propose(
        self, stack: str, name: str, template: TemplateText, parameters: Mapping[str, str | None]
    ) -> None:
        """Make a change set; nothing where one of that name exists.

        `parameters` that the template does not declare are left out; None, or one not named, keeps its value.
        Raises RefusedError where CloudFormation does not take it.
        """

    def change_set(self, stack: str, name: str) -> ChangeSet | None:
        """None where there is none of that name."""

    def discard(self, stack: str, name: str) -> None:
        """Delete a change set; nothing where there is none."""

    def execute(self, stack: str, name: str) -> None:
        """Begin to carry a change set out.

        Raises BusyError where its status does not allow it any more: look again.
        """

    def go_on_rolling_back(self, stack: str, skip: Sequence[str] = ()) -> None:
        """ContinueUpdateRollback. Resources in `skip` stay as they are, whatever that is.

        Raises RefusedError where CloudFormation does not do it.
        """

    def failure(self, stack: str, since: datetime) -> str:
        """What failed first since then, in CloudFormation's words; empty where nothing is told."""


class Templates(Protocol):
    def fetch(self, template: StackTemplate) -> TemplateText:
        """A release's template. Raises RefusedError where it is not the file that was asked for."""

    def keep(self, release_id: str, text: str) -> None:
        """Keep the template that was in force before a release."""

    def kept(self, release_id: str) -> TemplateText:
        """The kept one. Raises NotFoundError."""
