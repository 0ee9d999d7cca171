"""How far Selfright may go by itself, per runbook."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from selfright.domain.manifest.ranked import Ranked
from selfright.domain.manifest.section import Key, Section


class Autonomy(Ranked):
    """What happens when a remedy has been chosen, from most to least careful."""

    OBSERVE = "observe"
    """Record what would be done; say nothing."""
    SUGGEST = "suggest"
    """Tell people what should be done."""
    APPROVE = "approve"
    """Ask, and act when somebody agrees."""
    AUTO = "auto"
    """Act, then tell."""


class AutonomyPolicy(Section):
    """New runbooks are born in observe; each is raised by name once it has earned it."""

    default: Autonomy = Autonomy.OBSERVE
    runbooks: Mapping[Key, Autonomy] = Field(default={}, description="Runbook id to level.")

    def level(self, runbook_id: str) -> Autonomy:
        """The level of one runbook; the default where it is not named."""
        return self.runbooks.get(runbook_id, self.default)
