"""What came of a storm: counted in the ledger, in the queues and with those who were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import forty_shops as shops
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from sandbox.lifecycle import Outputs
from sandbox.server import SandboxError, Server
from selfright.adapters import ledger_keys
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.domain.gates import Reason
from selfright.domain.incident import Incident, IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.domain.signal import Decision, DecisionRecord

ALL = 1000  # incidents; more than there are
HELD_AT_INTAKE = "held by the storm"
OF_AN_INCIDENT = "Incident: inc-"


@dataclass(frozen=True)
class Storm:
    """`remediable`: how many troubles came alone, before the storm."""

    remediable: int
    sent: int
    decisions: Mapping[Decision, int]
    dead_letters: int
    incidents: tuple[Incident, ...]
    executions: int
    actions: int
    actions_in_storm: int
    """Those begun after the storm was declared."""
    actions_cap: int
    told_of_storm: Mapping[str, int]
    """Messages about the storm, by channel."""
    told_otherwise: Mapping[str, int]
    message: str
    """What people read of the storm."""
    seconds: float
    """Of the wall, from the first event of the burst until the last one is decided."""

    @property
    def decided(self) -> int:
        return sum(self.decisions.values())

    @property
    def held_at_intake(self) -> int:
        held = (i for i in self.incidents if i.status is IncidentStatus.HELD)
        return sum(incident.outcome == HELD_AT_INTAKE for incident in held)

    @property
    def held_at_gates(self) -> int:
        return sum(Reason.TOO_MANY_IN_TROUBLE in (incident.outcome or "") for incident in self.incidents)

    @property
    def promises(self) -> Mapping[str, bool]:
        """What Selfright promises for a storm, and whether it was kept."""
        taken_up = self.decisions.get(Decision.OPENED, 0)
        return {
            "every event is decided once, none is lost": self.decided == self.sent and not self.dead_letters,
            "only an incident that was opened is taken up": self.executions == taken_up < len(self.incidents),
            "a trouble that comes alone is remedied": self.actions >= self.remediable,
            "in the storm nothing is changed": self.actions_in_storm == 0,
            "no more actions than the manifest allows": self.actions <= self.actions_cap,
            "people are told of the storm exactly once": set(self.told_of_storm.values()) == {1},
        }


class Tally:
    """`sent` is known to who sent it; everything else is asked for."""

    def __init__(self, server: Server, outputs: Outputs, ledger: DynamoDBIncidentStore) -> None:
        self._server, self._outputs, self._ledger = server, outputs, ledger

    def count(
        self, *, sent: int, seconds: float, remediable: int, cap: int, people: Collector, mail: Inbox
    ) -> Storm:
        """Raises SandboxError where no storm is declared."""
        incidents = tuple(self._ledger.incidents(shops.WORKLOAD, shops.ENVIRONMENT, ALL))
        attempts = [attempt for i in incidents for attempt in self._ledger.case(i.id).attempts]
        acted = [attempt.intended_at for attempt in attempts if attempt.intended_at]
        declared_at = self._storm_declared_at()
        messages = {
            # CloudWatch mails on its own where an alarm of the control plane goes off, such as that of a late canary.
            "e-mail": [m["Message"] for m in mail.drain() if OF_AN_INCIDENT in m["Message"]],
            "Slack": [str(post) for post in people.taken(ChannelType.SLACK)],
            "PagerDuty": [str(page) for page in people.taken(ChannelType.PAGERDUTY)],
        }
        of_storm = {
            channel: [text for text in texts if Reason.TOO_MANY_IN_TROUBLE in text]
            for channel, texts in messages.items()
        }
        return Storm(
            remediable=remediable,
            sent=sent + self._state_changes(),
            decisions=Counter(record.decision for record in self._decisions()),
            dead_letters=self.waiting("SignalsDeadLettersUrl"),
            incidents=incidents,
            executions=len(self.executions()),
            actions=len(acted),
            actions_in_storm=sum(at > declared_at for at in acted),
            actions_cap=cap,
            told_of_storm={channel: len(texts) for channel, texts in of_storm.items()},
            told_otherwise={channel: len(messages[channel]) - len(of_storm[channel]) for channel in messages},
            message=next(iter(of_storm["e-mail"]), ""),
            seconds=seconds,
        )

    def waiting(self, queue: str) -> int:
        """Messages that are in the queue or in work."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._server.client("sqs").get_queue_attributes(
            QueueUrl=self._outputs[queue], AttributeNames=list(names)
        )["Attributes"]
        return sum(int(found[name]) for name in names)

    def executions(self) -> list[str]:
        """The status of each."""
        pages = self._server.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self._outputs["RespondArn"])
        return [str(execution["status"]) for page in found for execution in page["executions"]]

    def _storm_declared_at(self) -> datetime:
        key = ledger_keys.storm(shops.WORKLOAD, shops.ENVIRONMENT)
        found = self._server.client("dynamodb").get_item(TableName=self._outputs["LedgerTable"], Key=key)
        if "Item" not in found:
            raise SandboxError("no storm was declared, or it is over already")
        return datetime.fromisoformat(found["Item"]["at"]["S"])

    def _state_changes(self) -> int:
        """How often CloudWatch itself told of a state."""
        pages = self._server.client("cloudwatch").get_paginator("describe_alarm_history")
        found: Any = pages.paginate(HistoryItemType="StateUpdate")
        changes = (item for page in found for item in page["AlarmHistoryItems"])
        return sum(change["AlarmName"].startswith(shops.STACK) for change in changes)

    def _decisions(self) -> Iterator[DecisionRecord]:
        """On the alarms of the workload; the control plane's own are on record, too."""
        pages = self._server.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self._outputs["LedgerTable"]):
            for item in page["Items"]:
                if item["SK"] == ledger_keys.signal("")["SK"]:
                    record = DecisionRecord.model_validate_json(item["doc"]["S"])
                    if record.signal.name.startswith(shops.STACK):
                        yield record
