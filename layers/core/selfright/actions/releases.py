"""Take a whole release back: `roll_back` does it, for all functions of the set as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from selfright.domain.catalogue import ActionDeclaration
from selfright.domain.errors import BusyError, RefusedError
from selfright.domain.incident import Plan
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.release.record import UNDER_WAY, Release, ReleaseStatus, StopReason
from selfright.ports import Action, Instruments, Values


class RollBackRelease:
    """Not taken back where it does not help: a release goes live by passing its gates, and by nothing else.

    The set that the manifest releases as one counts as one resource: any part of it would be a mixed set.
    """

    declaration: ClassVar = ActionDeclaration(
        name="lambda.roll_back_release",
        summary="Take the release back that made the live version live, all its functions as one set",
        resource_types=frozenset({ResourceType.LAMBDA_FUNCTION}),
        permissions=frozenset({"states:StartExecution"}),
        reading=frozenset({"lambda:GetAlias"}),
        reversible=False,
        radius="the aliases of one release; whatever else that release changed goes back with them",
    )

    def plan(
        self, instruments: Instruments, key: str, resource: LambdaFunction, facts: Mapping[str, Any]
    ) -> Plan:
        known: Mapping[str, Any] = facts.get("release", {})
        if "release_id" not in known:
            raise RefusedError("no release of Selfright made the live version live")
        release = instruments.releases.release(known["release_id"])
        if release.status is not ReleaseStatus.COMPLETED:
            raise RefusedError(f"release {release.id} is {release.status}")
        before = {"release": release.id, **{f.key: f.left_live for f in release.changing}}
        if (now := _versions(instruments, release)) != before:
            moved = {name: value for name, value in now.items() if value != before[name]}
            raise RefusedError(f"release {release.id} is not live any more: {moved}")
        after = {**before, **{f.key: f.before.version for f in release.changing}}
        changes = ", ".join(f"{f.key} {f.left_live} → {f.before.version}" for f in release.changing)
        return Plan(
            action=self.declaration.name,
            resource=key,
            target=resource.name,
            summary=f"release {release.id} goes back: {changes}",
            before=before,
            after=after,
        )

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        """Raises BusyError while the release is on its way back."""
        release = instruments.releases.release(str(plan.before["release"]))
        if release.status in UNDER_WAY:
            raise BusyError(f"release {release.id} is {release.status}")
        return _versions(instruments, release)

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        if values != plan.after:
            raise RefusedError("a release goes live by passing its gates alone: ask for it anew")
        release_id = str(plan.before["release"])
        reason = f"{plan.target} fails since it went live"
        instruments.roll_backs.start(release_id, reason, "respond", StopReason.INCIDENT)


def _versions(instruments: Instruments, release: Release) -> dict[str, str | int | float]:
    """The version that each alias of the set is at; one that is between two shows its shares as well."""
    found: dict[str, str | int | float] = {"release": release.id}
    for function in release.changing:
        alias = instruments.functions.alias(function.function, function.alias)
        shares = "".join(f"+{version}:{share:g}" for version, share in sorted(alias.weights.items()))
        found[function.key] = f"{alias.version}{shares}"
    return found


ACTIONS: tuple[Action, ...] = (RollBackRelease(),)
