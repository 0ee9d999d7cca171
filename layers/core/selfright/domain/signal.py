"""Any inbound event, normalised: who says what about what, and since when."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from selfright.domain.alarms import State
from selfright.domain.manifest import Severity

# Ids are made of the moment's text: one moment must read the same whatever offset it came in.
Utc = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
IDENTITY = timedelta(seconds=1)


class SignalKind(StrEnum):
    """What tells us; docs/intake.md says what becomes of each."""

    ALARM = "alarm"
    HEALTH = "health"
    BUDGET = "budget"
    COST_ANOMALY = "cost-anomaly"
    BACKUP = "backup"
    STACK = "stack"
    DRIFT = "drift"
    DEPLOYMENT = "deployment"
    WORKFLOW = "workflow"
    CANARY = "canary"


MAX_REASON = 1000  # characters; a log excerpt in a reason could be hundreds of KiB, and an item holds 400


class Signal(BaseModel):
    """One fact that somebody else noticed, whatever envelope it came in.

    `state` is the alarm's own; of anything else ALARM means a problem, OK that all is well, INSUFFICIENT_DATA neither
    (a job is still running). `at` is when it became so, not when the event came in.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    kind: SignalKind = SignalKind.ALARM
    account: str
    region: str
    name: str = Field(
        min_length=1, max_length=512, description="What people call it: an alarm, a stack, a job."
    )
    subject: str = Field(min_length=1, max_length=2048, description="Its ARN, or what identifies it instead.")
    state: State
    previous_state: State | None = None
    at: Utc
    reason: Annotated[str, AfterValidator(lambda text: text[:MAX_REASON])] = ""
    muted_by: str | None = None
    suppressed_by: str | None = None
    contributor: str | None = Field(default=None, description="The time series of an alarm over many.")
    composite: bool = Field(
        default=False, description="An alarm over other alarms, without numbers of its own."
    )
    fact: str = Field(default="", description="The sender's own id of this fact; alarms have none.")
    resources: tuple[str, ...] = Field(default=(), description="ARNs or names of what it speaks about.")
    severity: Severity | None = Field(default=None, description="How bad, where no manifest says it.")

    @property
    def id(self) -> str:
        """The same for every delivery of the same fact, whatever envelope it came in."""
        if self.kind is SignalKind.ALARM:
            return self._alarm_id(self.at)
        return digest(self.kind, self.fact, self.subject)

    @property
    def headline(self) -> str:
        """What it says, on one line."""
        if self.kind is SignalKind.ALARM:
            return f"{self.name} is {self.state}"
        return f"{self.kind} {self.name}: {self.reason}"

    @property
    def ids_nearby(self) -> tuple[str, ...]:
        """The ids that this transition can have where another clock stamped it: a second more or less."""
        moments = (self.at, self.at - IDENTITY, self.at + IDENTITY)
        return tuple(dict.fromkeys(self._alarm_id(at) for at in moments))

    def _alarm_id(self, at: datetime) -> str:
        # Envelopes differ in precision. An alarm is evaluated every ten seconds at most: in one second it does not
        # enter the same state twice.
        moment = at.replace(microsecond=0).isoformat()
        return digest(
            self.subject, *([self.contributor] if self.contributor else []), self.state.value, moment
        )


class Decision(StrEnum):
    """What intake did with a signal."""

    OPENED = "opened"
    JOINED = "joined"
    RECOVERED = "recovered"
    HELD = "held"
    IGNORED = "ignored"


class DecisionReason(StrEnum):
    """Why; a closed list."""

    NEW_PROBLEM = "new-problem"
    PROBLEM_ALREADY_OPEN = "problem-already-open"
    STORM = "storm"
    ALARM_BACK_TO_OK = "alarm-back-to-ok"
    NOT_A_WORKLOAD_ALARM = "not-a-workload-alarm"
    NO_DATA_IS_NO_PROBLEM = "no-data-is-no-problem"
    OVERTAKEN = "overtaken-by-a-later-state"
    NOT_OF_A_WORKLOAD = "names-nothing-of-a-workload"
    NOTHING_IS_WRONG = "nothing-is-wrong"
    ALARM_DECIDES = "only-the-whole-alarm-recovers"
    TOLD_ALREADY = "told-within-the-hour"
    CANARY_ARRIVED = "canary-arrived"


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
    # json.dumps(parts), without the encoder that it makes for every call: a tenth of what a signal costs.
    text = f"[{', '.join(map(encode_basestring_ascii, parts))}]"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
