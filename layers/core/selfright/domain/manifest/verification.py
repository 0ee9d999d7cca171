"""How long Selfright waits before it says whether an action helped."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from selfright.domain.manifest.section import Seconds, Section, more_than


class Verification(Section):
    """After an action: let it settle, then judge the alarm's own metric and the guards until a deadline."""

    settle_seconds: Seconds = Field(default=300, description="Nothing is judged before.")
    verify_within_seconds: Annotated[Seconds, more_than("settle_seconds")] = Field(
        default=900, description="Counted from the action; without a verdict by then, people decide."
    )
    verdict_valid_seconds: Seconds = Field(default=1800, description="An older verdict counts for nothing.")
