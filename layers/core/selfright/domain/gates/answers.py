"""What a gate can say: go, ask or stop, for a reason from a closed list."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from selfright.domain.gates.facts import Unknown


class Verdict(StrEnum):
    GO = "go"
    ASK = "ask"
    STOP = "stop"


class Gate(StrEnum):
    """In the order in which they are asked; the first stop decides."""

    KILL_SWITCH = "kill-switch"
    WINDOW = "window-or-freeze"
    STALE_EPISODE = "stale-episode"
    MUTED = "muted-or-suppressed"
    RELEASE = "recent-release"
    STORM = "storm"
    PROTECTED = "protected"
    ABSURD = "absurd-input"
    VERIFIABLE = "verifiable"
    AUTONOMY = "autonomy"
    FLAPPING = "flapping"
    OWN_ACTION = "own-action-loop"
    ATTEMPTS = "attempts"
    FAILURES = "failures-in-a-row"
    BACK_OFF = "back-off"
    COOL_DOWN = "cool-down"
    BUDGET = "budget"
    LEASE = "lease"
    BLAST_RADIUS = "blast-radius"


class Reason(StrEnum):
    """Why a gate answered as it did; a closed list."""

    FINE = "fine"
    SOURCE_DOWN = "source-down"
    SWITCHED_OFF = "switched-off"
    MAINTENANCE_WINDOW = "maintenance-window"
    CHANGE_FREEZE = "change-freeze"
    ALARM_OVER = "alarm-over"
    ALARM_GONE = "alarm-gone"
    OTHER_EPISODE = "other-episode"
    EPISODE_TOO_OLD = "episode-too-old"
    ALARM_MUTED = "alarm-muted"
    ACTIONS_SUPPRESSED = "actions-suppressed"
    ACTIONS_DISABLED = "actions-disabled"
    RELEASE_ANSWERS = "release-answers"
    TOO_MANY_IN_TROUBLE = "too-many-in-trouble"
    RESOURCE_PROTECTED = "resource-protected"
    IMPOSSIBLE_NUMBER = "impossible-number"
    NO_VERDICT_POSSIBLE = "no-verdict-possible"
    OBSERVE_ONLY = "observe-only"
    SUGGEST_ONLY = "suggest-only"
    NEEDS_APPROVAL = "needs-approval"
    ALARM_FLAPS = "alarm-flaps"
    CAUSED_BY_US = "caused-by-us"
    TARGET_SPENT = "target-spent"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    INEFFECTIVE_CHAIN = "ineffective-chain"
    FAILED_TOO_OFTEN = "failed-too-often"
    BACKING_OFF = "backing-off"
    TOO_SOON = "too-soon"
    HOUR_SPENT = "hour-spent"
    DAY_SPENT = "day-spent"
    HELD_BY_ANOTHER = "held-by-another"
    TOO_MANY_RESOURCES = "too-many-resources"
    TOO_LARGE_A_STEP = "too-large-a-step"


class GateResult(BaseModel):
    """One gate's answer, with what it looked at. `value` and `threshold` are texts for people."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    gate: Gate
    verdict: Verdict
    reason: Reason
    value: str = ""
    threshold: str = ""


def go(gate: Gate, value: str, threshold: str) -> GateResult:
    return GateResult(gate=gate, verdict=Verdict.GO, reason=Reason.FINE, value=value, threshold=threshold)


def ask(gate: Gate, reason: Reason, value: str, threshold: str) -> GateResult:
    return GateResult(gate=gate, verdict=Verdict.ASK, reason=reason, value=value, threshold=threshold)


def stop(gate: Gate, reason: Reason, value: str, threshold: str) -> GateResult:
    return GateResult(gate=gate, verdict=Verdict.STOP, reason=reason, value=value, threshold=threshold)


def down(gate: Gate, unknown: Unknown, threshold: str) -> GateResult:
    """A fact could not be read."""
    return stop(gate, Reason.SOURCE_DOWN, unknown.error, threshold)


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
