"""Any inbound event, normalised: who says what about which alarm, and since when."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from selfright.domain.alarms import State

# Ids are made of the moment's text: one moment must read the same whatever offset it came in.
Utc = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


class SignalKind(StrEnum):
    ALARM = "alarm"


class Signal(BaseModel):
    """One state change of one alarm. `at` is when the state changed, not when the event came in."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    kind: SignalKind = SignalKind.ALARM
    account: str
    region: str
    alarm_name: str
    alarm_arn: str
    state: State
    previous_state: State | None = None
    at: Utc
    reason: str = ""
    muted_by: str | None = None
    suppressed_by: str | None = None

    @property
    def id(self) -> str:
        """The same for every delivery of the same state change, whatever envelope it came in."""
        return digest(self.alarm_arn, self.state.value, self.at.isoformat())


class Decision(StrEnum):
    """What intake did with a signal."""

    OPENED = "opened"
    JOINED = "joined"
    RECOVERED = "recovered"
    IGNORED = "ignored"


class DecisionReason(StrEnum):
    """Why; a closed list."""

    NEW_PROBLEM = "new-problem"
    PROBLEM_ALREADY_OPEN = "problem-already-open"
    ALARM_BACK_TO_OK = "alarm-back-to-ok"
    NOT_A_WORKLOAD_ALARM = "not-a-workload-alarm"
    NO_DATA_IS_NO_PROBLEM = "no-data-is-no-problem"
    OVERTAKEN = "overtaken-by-a-later-state"


class DecisionRecord(BaseModel):
    """One per signal, also where nothing was done."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    signal: Signal
    decision: Decision
    reason: DecisionReason
    incident_id: str | None = None
    decided_at: datetime


def digest(*parts: str) -> str:
    """128 bits of SHA-256 over the parts, as 32 hex digits; no two lists of parts run together."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
