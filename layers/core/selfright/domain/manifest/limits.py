"""How often, how widely and how strongly Selfright may act on one workload."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from selfright.domain.manifest.section import Count, Seconds, Section, Share, at_least


class Limits(Section):
    """The numbers that the gates compare with. A gate whose number is reached stops the action."""

    cooldown_seconds: Seconds = Field(default=300, description="Rest after an action on the same resource.")
    attempts: Count = Field(
        default=3, description="Remedies tried for one incident before people are called."
    )
    actions_per_hour: Count = 4
    # The ledger keeps the moments of a day's actions in one item; AWS limits an item to 400 KB.
    actions_per_day: Annotated[Count, Field(le=1000), at_least("actions_per_hour")] = 12
    max_resources: Count = Field(default=1, description="Resources that one action may change.")
    max_increase_factor: Annotated[float, Field(strict=True, gt=1, le=10)] = Field(
        default=4.0, description="New capacity ÷ old capacity, at most, in one action."
    )
    lease_seconds: Seconds = Field(default=900, description="How long one incident owns a resource.")
    approval_seconds: Seconds = Field(
        default=900, description="An unanswered request lapses: nothing is done."
    )
    stale_after_seconds: Seconds = Field(default=1800, description="An older alarm episode is not acted on.")
    unhealthy_share: Share = Field(
        default=0.4, description="Share of the workload's resources in trouble at which all automation stops."
    )
