"""`respond` and `undo`: a table throttles and its alarm goes off, for real.

The remedy helps; or it does not and is undone; or the execution is stopped after the change, and the sweep has
`undo` put it right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from reliability.cases import Mode
from reliability.scenes import Ending
from reliability.world import ALARM, ENVIRONMENT, TABLE, UNITS, WORKLOAD, World
from sandbox.emulator.faults import Call
from selfright.domain.incident import CaseFile, EntryKind, Incident, IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.usecases.sweep import GRACE

LAST_ROOMS = ("UndoAction", "CloseIncident", "TellPeople")
ROOMS = {
    "Respond": ("ChooseRunbook", "RunChecks", "ChooseRemedy", "ApplyAction", "JudgeOutcome", *LAST_ROOMS),
    "Undo": LAST_ROOMS,
}
# Who starts them: only killed, and only where something is changed.
STARTED_BY = {"Respond": "ReceiveSignal", "Undo": "Sweep"}
SWEEP_EVERY = timedelta(minutes=5)
GOOD_ENDS = {IncidentStatus.RESOLVED, IncidentStatus.ESCALATED}
# Seconds of the wall: the alarm on failed executions takes two minutes of the sandbox's.
TELLING = 15


class IncidentScene:
    """`deaf`: the remedy does not help. `stopped`: the execution is, as soon as the change is made."""

    def __init__(self, world: World, name: str, *, deaf: bool = False, stopped: bool = False) -> None:
        self.name, self._deaf, self._stopped, self._world = name, deaf, stopped, world
        machine = "Undo" if stopped else "Respond"
        role = world.aws.client("stepfunctions").describe_state_machine(
            stateMachineArn=world.physical[machine]
        )["roleArn"]
        starter = STARTED_BY[machine]
        self.callers: Mapping[str, str] = {
            world.physical[room]: room for room in (*ROOMS[machine], starter)
        } | {role.rsplit("/", 1)[-1]: machine}
        self.only_killed = frozenset({starter})
        # What it shares with `respond` fails once there already.
        self.modes: tuple[Mode, ...] = (
            (Mode.DOWN, Mode.KILL_BEFORE, Mode.KILL_AFTER) if stopped else tuple(Mode)
        )
        self.meant = IncidentStatus.ESCALATED if deaf or stopped else IncidentStatus.RESOLVED
        self.changes = 2 if deaf or stopped else 1
        self._logical = {name: logical for logical, name in world.physical.items()} | {
            TABLE: "table",
            ALARM: "alarm",
        }
        self._began = world.now()
        self._told: list[str] = []
        self._mails: list[str] = []
        self._case: CaseFile | None = None
        self._swept_at, self._swept = world.now(), False

    def named(self, resource: str) -> str:
        last = resource.rsplit(":", 1)[-1]
        for part in (resource, last, *last.split("/")[::-1]):
            if part in self._logical:
                return str(self._logical[part])
        if ":secret:" in resource:
            return last.rsplit("-", 1)[0].rsplit("/", 1)[-1]  # AWS adds six characters of its own
        return last if last != "*" else "any"

    def alike(self, call: Call) -> str:
        return f"{call.resource} {call.nth}"

    def reset(self) -> None:
        self._world.put_back()

    def run(self) -> Ending:
        world = self._world
        self._began, self._told, self._mails, self._case = world.now(), [], [], None
        self._swept_at, self._swept = world.now(), False
        world.patient.fall_ill(deaf=self._deaf)
        incident = world.until("an incident is opened", self._opened)
        if self._stopped:
            world.until("the change is made", lambda: world.acted(incident.id))
            (execution,) = world.executions(incident.id)
            world.aws.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
        world.until(f"{incident.id} is closed", lambda: self._over(incident.id))
        case = self._case = world.ledger.case(incident.id)
        if case.incident.status is not IncidentStatus.RESOLVED:
            world.until("people are told", lambda: self._hear(incident.id), seconds=TELLING)
        return self._ending(case)

    def _opened(self) -> Incident | None:
        found = [
            i for i in self._world.ledger.incidents(WORKLOAD, ENVIRONMENT, 5) if i.opened_at > self._began
        ]
        if not found and self._world.now() - self._began > GRACE:
            self._sweep_when_due()
        return found[0] if found else None

    def _over(self, incident_id: str) -> bool:
        world = self._world
        self._hear(incident_id)
        if any(e["status"] == "RUNNING" for e in world.executions(incident_id)):
            return False
        if world.ledger.case(incident_id).incident.status is not IncidentStatus.OPEN:
            return True
        self._sweep_when_due()
        return False

    def _sweep_when_due(self) -> None:
        if self._world.now() - self._swept_at >= SWEEP_EVERY:
            self._swept_at, self._swept = self._world.now(), True
            self._world.sweep()

    def _hear(self, incident_id: str) -> bool:
        """What people got: a notice of the incident, or the alarm that its execution failed."""
        world = self._world
        failed = world.physical["RespondFailed"]
        mails = [mail["Message"] for mail in world.inbox.drain()]
        self._mails += [mail for mail in mails if incident_id in mail or failed in mail]
        chat = [
            text for text in map(json.dumps, world.collector.taken(ChannelType.SLACK)) if incident_id in text
        ]
        self._told = [*self._mails, *chat]
        return bool(self._told)

    def _ending(self, case: CaseFile) -> Ending:
        states: list[str] = []
        retried = 0
        executions = self._world.executions(case.incident.id)
        client = self._world.aws.client("stepfunctions")
        for execution in executions:
            history = client.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
            for event in history["events"]:
                states += (
                    [event["stateEnteredEventDetails"]["name"]] if "stateEnteredEventDetails" in event else []
                )
                failed = event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails")
                # A table that is UPDATING is waited for in every run.
                retried += failed is not None and failed.get("error") != "BusyError"
        units = self._world.units()
        return Ending(
            outcome=case.incident.status.value,
            stands=f"{units} units" if units != UNITS else "as before",
            told=len(self._told),
            retried=retried,
            caught=self._caught(case, states),
            rescued=self._swept and (not self._stopped or "Fail openly" in states),
        )

    def _caught(self, case: CaseFile, states: Sequence[str]) -> bool:
        """`undo` always closes after a failure; where it was not put right, it says what failed then."""
        if "Fail openly" in states:
            return True
        failed = [e.text for e in case.timeline if e.kind is EntryKind.STEP_FAILED]
        return any("; " in text for text in failed) if self._stopped else "Close after a failure" in states

    def as_meant(self, ending: Ending, calls: Sequence[Call]) -> bool:
        return ending.outcome == self.meant.value and len(_changes(calls)) == self.changes

    def broken(self, ending: Ending, calls: Sequence[Call]) -> list[str]:
        world, case = self._world, self._case
        if case is None:
            return ["there is no incident"]
        status, found = case.incident.status, []
        if status not in GOOD_ENDS:
            found.append(f"ended {status}")
        if status is not IncidentStatus.RESOLVED and not ending.told:
            found.append("nobody was told")
        changes = _changes(calls)
        if len(set(changes)) < len(changes):
            found.append(f"a change was made twice: {changes}")
        units = world.units()
        if units != UNITS and status is not IncidentStatus.RESOLVED and not self._knows(f"{UNITS} → {units}"):
            found.append(f"the table was left with {units} units, and nobody was told so")
        if status is IncidentStatus.RESOLVED and units == UNITS:
            found.append("resolved, but nothing is changed")
        if (held := world.leases.holder(TABLE, world.now())) or world.leases.lapsed(TABLE, world.now()):
            found.append(f"a lease is left ({held})")
        if lost := world.waiting("SignalsDeadLettersUrl"):
            found.append(f"{lost} messages in the dead-letter queue")
        found += [
            f"{e['machine']} {e['name']} is {e['status']}"
            for e in world.executions(case.incident.id)
            if e["status"] == "RUNNING"
        ]
        return found

    def _knows(self, change: str) -> bool:
        return any(change in text and "(undone)" not in text for text in self._told)


def _changes(calls: Sequence[Call]) -> list[int]:
    """The units that the table was given, by the local AWS's record."""
    return [
        json.loads(call.request)["ProvisionedThroughput"]["WriteCapacityUnits"]
        for call in calls
        if call.action == "dynamodb:UpdateTable" and call.carried_out
    ]
