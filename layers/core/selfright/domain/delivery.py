"""How far a notice has come on its way to one channel, as a line of the incident's timeline.

The line is written before the notice is sent, and again when its fate is known. A room that dies in between leaves
`sending`: the notice may have arrived. It is sent once more, so a channel can get one notice twice, and after a
second send without an answer never again. A pager is the exception: it merges what it gets twice, and is asked on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from selfright.domain.incident import CaseFile, Entry, EntryKind, IncidentStatus
from selfright.domain.manifest import ChannelType

UNANSWERED_ALLOWED = 2  # sends of one notice that may have arrived without our knowing
LONGEST_REASON = 300  # characters

_MERGES_REPEATS = {ChannelType.PAGERDUTY}


class DeliveryState(StrEnum):
    SENDING = "sending"  # whether it arrived is not on record
    TOLD = "told"
    DOWN = "down"  # not taken; to be sent again
    REFUSED = (
        "refused"  # would be refused again: the notice, or what the manifest or the secret says, is wrong
    )
    UNSURE = "unsure"  # may have arrived twice already; not sent again
    NOT_NEEDED = "not needed"


class Delivery(BaseModel):
    """One notice on one channel; `status` is the incident's that it tells of."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    channel: str
    type: ChannelType
    status: IncidentStatus
    state: DeliveryState = DeliveryState.DOWN
    sends: int = Field(default=0, ge=0)
    unanswered: int = Field(default=0, ge=0)
    why: str = ""

    @property
    def due(self) -> bool:
        """To be sent now."""
        return not self.over and not self._too_many

    @property
    def over(self) -> bool:
        """Nothing more will come of it."""
        return self.state not in {DeliveryState.SENDING, DeliveryState.DOWN}

    @property
    def key(self) -> str:
        """Of its one line on the timeline."""
        return f"told-{self.status}-{self.channel}"

    @property
    def may_have_arrived(self) -> bool:
        return self.state is DeliveryState.TOLD or self.unanswered > 0

    @property
    def failed(self) -> bool:
        return self.state in {DeliveryState.DOWN, DeliveryState.REFUSED, DeliveryState.UNSURE}

    def begun(self) -> Self:
        """About to be sent: until the answer is known, one more that may have arrived."""
        state = DeliveryState.SENDING
        return self.model_copy(
            update={"state": state, "sends": self.sends + 1, "unanswered": self.unanswered + 1}
        )

    def arrived(self) -> Self:
        return self.model_copy(
            update={"state": DeliveryState.TOLD, "unanswered": self.unanswered - 1, "why": ""}
        )

    def refused(self, why: str) -> Self:
        return self._not_taken(DeliveryState.REFUSED, why, self.unanswered - 1)

    def down(self, why: str, unanswered: int) -> Self:
        """Not taken, or no answer came to so many sends."""
        after = self._not_taken(DeliveryState.DOWN, why, self.unanswered - 1 + unanswered)
        return after if after.due else after.given_up()

    def given_up(self) -> Self:
        return self.model_copy(update={"state": DeliveryState.UNSURE})

    def not_needed(self) -> Self:
        return self.model_copy(update={"state": DeliveryState.NOT_NEEDED})

    def entry(self, at: datetime) -> Entry:
        """The one line of this delivery; a later state takes the place of an earlier one."""
        return Entry(
            key=self.key,
            at=at,
            kind=EntryKind.PEOPLE_TOLD,
            text=f"{self.channel} ({self.type}): {self._words}",
            detail=self.model_dump(mode="json"),
        )

    @property
    def _too_many(self) -> bool:
        return self.type not in _MERGES_REPEATS and self.unanswered >= UNANSWERED_ALLOWED

    def _not_taken(self, state: DeliveryState, why: str, unanswered: int) -> Self:
        return self.model_copy(update={"state": state, "unanswered": unanswered, "why": why[:LONGEST_REASON]})

    @property
    def _words(self) -> str:
        match self.state:
            case DeliveryState.TOLD:
                return "told" if self.sends == 1 else f"told at send {self.sends}"
            case DeliveryState.SENDING:
                return "being told"
            case DeliveryState.DOWN:
                return f"not told, send {self.sends} failed: {self.why}"
            case DeliveryState.REFUSED:
                return f"not told, refused: {self.why}"
            case DeliveryState.UNSURE:
                return f"not known whether told, no answer came to {self.unanswered} sends: {self.why}"
            case DeliveryState.NOT_NEEDED:
                return "nothing to tell: nobody was paged"


def deliveries(case: CaseFile) -> Iterator[Delivery]:
    """Every delivery that the incident's timeline knows of."""
    for entry in case.timeline:
        if entry.kind is EntryKind.PEOPLE_TOLD:
            yield Delivery.model_validate(entry.detail)
