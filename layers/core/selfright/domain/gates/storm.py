"""A storm: so much of a workload is in trouble that one remedy at a time is the wrong answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict

# A share of a tiny base says nothing: one of two resources in trouble is an incident, not a storm.
LEAST = 3
CALM_BELOW = 0.5  # of the limit: a storm that hovers around the limit is one storm


class Troubles(BaseModel):
    """A workload's problems that are not over, as the ledger has them.

    An incident counts from its first signal until it is resolved or its alarm is back to OK; in the hands of people,
    or in progress, it is trouble still.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    problems: Mapping[str, str] = {}
    """Fingerprint to resource."""
    declared_by: str | None = None
    """The incident that declared the storm, and tells people of it."""

    def storm(self, resources: int, limit: float, *also: str) -> Storm:
        """The picture for a workload of so many resources; `also` are resources in trouble that are not on record."""
        return Storm(
            unhealthy=len(_distinct(self.problems.values(), also)),
            resources=resources,
            limit=limit,
            declared=self.declared_by is not None,
        )


class Storm(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    unhealthy: int
    resources: int
    limit: float
    declared: bool

    @property
    def share(self) -> float:
        return self.unhealthy / max(self.resources, 1)

    @property
    def breaks_out(self) -> bool:
        return self.unhealthy >= LEAST and self.share >= self.limit

    @property
    def is_over(self) -> bool:
        return self.declared and self.share < self.limit * CALM_BELOW

    @property
    def rages(self) -> bool:
        return self.breaks_out or (self.declared and not self.is_over)


def _distinct(known: Collection[str], more: Collection[str]) -> set[str]:
    return {*known, *more}
