"""Say what would be made of a signal, without asking AWS anything: for people, for replays, for CI.

What only AWS and the ledger know is taken from the signal where it says so, and otherwise assumed; every assumption is
named beside the gate that rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from selfright.domain.alarms import State
from selfright.domain.concern import Concern, concern
from selfright.domain.gates import (
    COMPOSITE,
    MANY_SERIES,
    AlarmNow,
    Gate,
    GateFacts,
    GateResult,
    Radius,
    Reason,
    Spent,
    Troubles,
    Verdict,
    ask_gates,
    overall,
)
from selfright.domain.manifest import AlarmBinding, Workload
from selfright.domain.runbook import EscalateWhen, Runbook, Shelf
from selfright.domain.signal import DecisionReason, Signal, SignalKind
from selfright.ports import Action, Check

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")
NO_EARLIER_CHANGES = "nothing was changed here in the last two days"
ASSUMED: Mapping[Gate, str] = {
    Gate.KILL_SWITCH: "the kill switch is off",
    Gate.STALE_EPISODE: "the alarm still stands as the event says",
    Gate.MUTED: "the alarm's actions are enabled, and nobody muted it since the event",
    Gate.RELEASE: "no release of the workload is on its way, fresh, or just taken back",
    Gate.STORM: "no other resource of the workload is in trouble",
    Gate.ABSURD: "the numbers of checks and plan can be true",
    Gate.VERIFIABLE: "the alarm watches one series of numbers",
    Gate.AUTONOMY: "the switch board does not lower the manifest's level",
    Gate.FLAPPING: "the alarm did not change its state in the two days before",
    Gate.OWN_ACTION: NO_EARLIER_CHANGES,
    Gate.ATTEMPTS: "it is the incident's first attempt, and the remedy never failed here",
    Gate.FAILURES: NO_EARLIER_CHANGES,
    Gate.BACK_OFF: NO_EARLIER_CHANGES,
    Gate.COOL_DOWN: NO_EARLIER_CHANGES,
    Gate.BUDGET: "the workload had no change in the last 24 hours",
    Gate.LEASE: "no other incident holds the target",
    Gate.BLAST_RADIUS: "the plan touches one resource, in a step within the limit",
}


class Would(StrEnum):
    """What would come of a signal."""

    ACT = "act"
    ASK = "ask"
    STOP = "stop"  # a gate keeps the machine from acting
    PEOPLE = "people"  # no runbook is for this
    NOTHING = "nothing"


class SignalSeen(BaseModel):
    """The signal, and what the manifest makes of it; None where no manifest names it."""

    model_config = FROZEN

    kind: str
    name: str
    state: State
    at: datetime
    workload: str | None = None
    environment: str | None = None
    resource: str | None = None
    symptom: str | None = None
    severity: str | None = None


class GateSeen(GateResult):
    """`assumed`: what the verdict rests on beside event and manifest; None where it rests on nothing else."""

    assumed: str | None = None


class CheckSeen(BaseModel):
    model_config = FROZEN

    check: str
    reads: str
    parameters: dict[str, Any]


class RemedySeen(BaseModel):
    model_config = FROZEN

    id: str
    title: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    action: str
    changes: str
    radius: str


class Explanation(BaseModel):
    """`say` is one sentence; `would` is its word for machines."""

    model_config = FROZEN

    accepted: bool = True
    signal: SignalSeen
    runbook: str | None = None
    would: Would
    say: str
    gates: tuple[GateSeen, ...] = ()
    checks: tuple[CheckSeen, ...] = ()
    escalate_when: tuple[EscalateWhen, ...] = ()
    remedies: tuple[RemedySeen, ...] = ()


def explain_signal(
    signal: Signal,
    *,
    workloads: Sequence[Workload],
    runbooks: Sequence[Runbook],
    checks: Mapping[str, Check],
    actions: Mapping[str, Action],
) -> Explanation:
    """What would be done, judged at the moment at which the alarm changed its state."""
    if signal.kind is not SignalKind.ALARM:
        return _without_an_alarm(signal, workloads)
    for workload in workloads:
        if alarm := workload.alarm_by_name(signal.name):
            break
    else:
        return _ignored(signal, DecisionReason.NOT_A_WORKLOAD_ALARM)
    seen = _seen(signal, workload, alarm)
    if signal.state is not State.ALARM:
        back = DecisionReason.ALARM_DECIDES if signal.contributor else DecisionReason.ALARM_BACK_TO_OK
        why = back if signal.state is State.OK else DecisionReason.NO_DATA_IS_NO_PROBLEM
        return Explanation(signal=seen, would=Would.NOTHING, say=f"noted: {why}")
    kind = workload.resource(alarm.resource).type
    runbook = Shelf(runbooks).find(kind, alarm.symptom)
    if runbook is None:
        say = f"people are told: no runbook is for {alarm.symptom} of a {kind}"
        return Explanation(signal=seen, would=Would.PEOPLE, say=say)
    gates = ask_gates(_facts(signal, workload, alarm, runbook))
    would, say = _outcome(gates, runbook)
    return Explanation(
        signal=seen,
        runbook=runbook.id,
        would=would,
        say=say,
        gates=tuple(GateSeen(**g.model_dump(), assumed=_assumed(g)) for g in gates),
        checks=tuple(
            CheckSeen(check=c.use, reads=checks[c.use].declaration.summary, parameters=c.parameters)
            for c in runbook.checks
        ),
        escalate_when=runbook.escalate_when,
        remedies=tuple(
            RemedySeen(
                id=r.id,
                title=r.title,
                when=r.when,
                unless=r.unless,
                action=r.use,
                changes=actions[r.use].declaration.summary,
                radius=actions[r.use].declaration.radius,
            )
            for r in runbook.remedies
        ),
    )


def _without_an_alarm(signal: Signal, workloads: Sequence[Workload]) -> Explanation:
    """People are told at once: no alarm could prove that a remedy worked."""
    if signal.kind is SignalKind.CANARY:
        return _ignored(signal, DecisionReason.CANARY_ARRIVED)
    if signal.state is not State.ALARM:
        return _ignored(signal, DecisionReason.NOTHING_IS_WRONG)
    found = concern(signal, workloads)
    if found is None:
        return _ignored(signal, DecisionReason.NOT_OF_A_WORKLOAD)
    seen = _seen(signal, *found)
    say = f"people are told: no alarm could prove that a remedy for {seen.symptom} worked"
    return Explanation(signal=seen, would=Would.PEOPLE, say=say)


def _ignored(signal: Signal, why: DecisionReason) -> Explanation:
    return Explanation(signal=_seen(signal), would=Would.NOTHING, say=f"ignored: {why}")


def _seen(
    signal: Signal, workload: Workload | None = None, about: AlarmBinding | Concern | None = None
) -> SignalSeen:
    return SignalSeen(
        kind=signal.kind,
        name=signal.name,
        state=signal.state,
        at=signal.at,
        workload=workload.workload if workload else None,
        environment=workload.environment if workload else None,
        resource=about.resource if about else None,
        symptom=about.symptom if about else None,
        severity=about.severity if about else None,
    )


def _facts(signal: Signal, workload: Workload, alarm: AlarmBinding, runbook: Runbook) -> GateFacts:
    limits = workload.limits
    return GateFacts(
        now=signal.at,
        incident_id="this incident",
        episode=signal.at,
        stale_after_seconds=limits.stale_after_seconds,
        cooldown_seconds=limits.cooldown_seconds,
        kill_switch=False,
        window=workload.windows.closed_at(signal.at),
        alarm=AlarmNow(
            state=signal.state,
            since=signal.at,
            muted_by=signal.muted_by,
            suppressed_by=signal.suppressed_by,
            unjudgeable=COMPOSITE if signal.composite else MANY_SERIES if signal.contributor else None,
        ),
        alarm_changes=(signal.at,),
        storm=Troubles().storm(len(workload.resources), limits.unhealthy_share, alarm.resource),
        protected=workload.resource(alarm.resource).protected,
        autonomy=workload.autonomy_for(runbook.id),
        changes=(),
        attempt=1,
        attempts_allowed=limits.attempts,
        spent=Spent(hour=0, day=0, per_hour=limits.actions_per_hour, per_day=limits.actions_per_day),
        radius=Radius(
            resources=1,
            max_resources=limits.max_resources,
            increase_factor=1.0,
            max_increase_factor=limits.max_increase_factor,
        ),
        figures={},
    )


def _assumed(result: GateResult) -> str | None:
    """What the event says needs no assumption."""
    said = result.reason in {Reason.ALARM_MUTED, Reason.ACTIONS_SUPPRESSED, Reason.NO_VERDICT_POSSIBLE}
    return None if said else ASSUMED.get(result.gate)


def _outcome(gates: Sequence[GateResult], runbook: Runbook) -> tuple[Would, str]:
    decided = overall(gates)
    if decided is None:
        return Would.ACT, f"the checks of {runbook.id} run, and its first remedy that fits is carried out"
    because = f"gate {decided.gate}: {decided.reason} ({decided.value})"
    if decided.verdict is Verdict.ASK:
        return Would.ASK, f"people are asked: {because}"
    return Would.STOP, f"nothing is changed: {because}"
