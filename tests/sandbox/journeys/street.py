"""A sandbox of its own with the forty shops: each is as good as new, whatever went on in the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sandbox import forty_shops as shops
from sandbox import lifecycle
from sandbox.collector import Collector
from sandbox.customers import Customers
from sandbox.local_aws import LocalAws
from sandbox.server import Server
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.manifest_files import load_workload
from selfright.domain.incident import AttemptStatus, CaseFile, Incident, IncidentStatus
from selfright.domain.manifest import ChannelType
from tests.sandbox.journeys.world import LOOK_EVERY, PATIENCE

T = TypeVar("T")


class Street:
    def __init__(self, server: Server, outputs: lifecycle.Outputs, people: Collector) -> None:
        self.server, self._people = server, people
        self._aws = LocalAws(server)
        self._ledger = DynamoDBIncidentStore(self._aws, outputs["LedgerTable"])

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.server.now(), UTC)

    def until(self, what: str, look: Callable[[], T | None], seconds: float = PATIENCE) -> T:
        """The first answer of `look` that is something; fails after `seconds` of the wall."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}\n{self.story()}"
            time.sleep(LOOK_EVERY)
        return found

    def incidents(self, shop: str) -> list[Incident]:
        """Oldest first."""
        found = self._ledger.incidents(shops.WORKLOAD, shops.ENVIRONMENT, 100)
        return sorted((i for i in found if i.resource == shop), key=lambda i: i.opened_at)

    def closed(self, shop: str, number: int, seconds: float = PATIENCE) -> CaseFile:
        """The case of the shop's n-th incident, once it is closed."""

        def look() -> CaseFile | None:
            found = self.incidents(shop)[number - 1 : number]
            return (
                self._ledger.case(found[0].id)
                if found and found[0].status is not IncidentStatus.OPEN
                else None
            )

        return self.until(f"incident {number} of {shop} is closed", look, seconds)

    def write_units(self, shop: str) -> int:
        found = self._aws.client("dynamodb").describe_table(TableName=shops.table(shop))["Table"]
        return int(found["ProvisionedThroughput"]["WriteCapacityUnits"])

    def alarm_state(self, shop: str) -> str:
        found = self._aws.client("cloudwatch").describe_alarms(AlarmNames=[shops.alarm(shop)])["MetricAlarms"]
        return str(found[0]["StateValue"])

    def set_alarm(self, shop: str, state: str) -> None:
        """As a person may; without orders there is no data, and CloudWatch leaves it so."""
        self._aws.client("cloudwatch").set_alarm_state(
            AlarmName=shops.alarm(shop), StateValue=state, StateReason="set by a person"
        )

    def pages(self, incident: Incident) -> list[dict[str, Any]]:
        """What a pager got to know of it."""
        taken = self._people.taken(ChannelType.PAGERDUTY)
        return [page for page in taken if page["dedup_key"] == incident.id]

    def changes(self, shop: str) -> list[tuple[int, int]]:
        """Write units before and after of every change that was made."""
        attempts = [a for i in self.incidents(shop) for a in self._ledger.case(i.id).attempts]
        untouched = {AttemptStatus.CHOSEN, AttemptStatus.REFUSED}
        made = [a.plan for a in attempts if a.plan and a.status not in untouched]
        return [(int(p.before["write_units"]), int(p.after["write_units"])) for p in made]

    def story(self) -> str:
        found = self._ledger.incidents(shops.WORKLOAD, shops.ENVIRONMENT, 100)
        lines = []
        for incident in sorted(found, key=lambda i: i.opened_at):
            lines.append(f"{incident.resource} {incident.id}: {incident.status}, {incident.outcome}")
            for entry in self._ledger.case(incident.id).timeline:
                at = (entry.at - incident.episode).total_seconds()
                lines.append(f"{at:8.1f} s  {entry.kind}: {entry.text}")
        return "\n".join(lines)


@contextmanager
def street(home: Path, scale: float) -> Iterator[tuple[Street, Customers]]:
    workloads, template = shops.write(lifecycle.HOME / shops.WORKLOAD)
    stacks = (
        lifecycle.control_plane(shops.ENVIRONMENT, workloads, **shops.PARAMETERS),
        lifecycle.Stack(shops.STACK, template, layers=False),
    )
    manifest = load_workload(workloads / shops.WORKLOAD, shops.ENVIRONMENT)
    try:
        server, outputs = lifecycle.up(home, scale=scale, stacks=stacks)
        with Collector() as people, people.serving(server, manifest), Customers(server) as customers:
            yield Street(server, outputs[lifecycle.CONTROL_PLANE], people), customers
    finally:
        lifecycle.down(home)
