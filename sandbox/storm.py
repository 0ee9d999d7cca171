"""Forty tables in trouble at once, on the local AWS: what `selfright demo storm` runs.

The throttles are real, and so are the alarms; that nearly nothing is changed is the storm gate's doing. Two shops are
busy a little earlier than the others: they show what happens to a trouble that comes alone.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

from sandbox import forty_shops as shops
from sandbox import lifecycle
from sandbox.collector import Collector
from sandbox.customers import Customers
from sandbox.inbox import Inbox
from sandbox.server import ACCOUNT, REGION, SandboxError, Server
from sandbox.tally import Storm, Tally
from selfright.adapters.aws import Aws
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.manifest_files import load_workload

SCALE = 12.0
EVENTS = 5000
EARLY = shops.SHOPS[:2]
# Seconds of the sandbox that they keep trying: this minute's share of refused orders must be that of the last one, or
# the alarms would be back at once.
PATIENCE_OF_CUSTOMERS = 30.0
SENDERS = 4
AT_ONCE = 10  # events, as PutEvents takes them
PATIENCE = 400.0  # seconds of the wall until it gives up waiting for one thing; a machine may be busy
LOOK_EVERY = 0.25

Tell = Callable[[str, float], None]


def rehearse(home: Path, events: int, tell: Tell, scale: float = SCALE) -> Storm:
    """Bring a sandbox up in `home`, let the storm break out, and count.

    Raises SandboxError where the sandbox or the storm does not get there in time. The sandbox is taken down again in
    every case.
    """
    workloads, template = shops.write(lifecycle.HOME / shops.WORKLOAD)
    stacks = (
        lifecycle.control_plane(shops.ENVIRONMENT, workloads, **shops.PARAMETERS),
        lifecycle.Stack(shops.STACK, template, layers=False),
    )
    manifest = load_workload(workloads / shops.WORKLOAD, shops.ENVIRONMENT)
    try:
        server, outputs = lifecycle.up(home, scale=scale, stacks=stacks, tell=tell)
        os.environ.update(server.environment())
        ours = outputs[lifecycle.CONTROL_PLANE]
        with (
            Collector() as people,
            people.serving(server, manifest),
            Inbox(server, ours["AlertsTopicArn"]) as mail,
            Customers(server) as customers,
        ):
            rehearsal = _Rehearsal(server, ours, tell)
            sent, seconds = rehearsal.play(customers, events)
            return rehearsal.tally.count(
                sent=sent,
                seconds=seconds,
                remediable=len(EARLY),
                cap=manifest.limits.actions_per_hour,
                people=people,
                mail=mail,
            )
    finally:
        lifecycle.down(home)


class _Rehearsal:
    """`tell` what was done itself."""

    def __init__(self, server: Server, outputs: lifecycle.Outputs, tell: Tell) -> None:
        self._server, self._tell = server, tell
        self._ledger = DynamoDBIncidentStore(Aws(), outputs["LedgerTable"])
        self.tally = Tally(server, outputs, self._ledger)

    def play(self, customers: Customers, events: int) -> tuple[int, float]:
        """How many events were sent, and the seconds until all were decided."""
        began = time.monotonic()
        customers.come(EARLY)
        _until("the first remedies", lambda: len(self._acted()) == len(EARLY))
        self._tell(
            f"{len(EARLY)} of {len(shops.SHOPS)} shops are busy: {'; '.join(self._acted())}", _since(began)
        )

        began = time.monotonic()
        customers.come(shops.SHOPS)
        _until("the alarms", lambda: len(self._alarms_on()) >= len(shops.SHOPS) - len(EARLY))
        alarms = self._alarms_on()
        self._tell(f"all {len(shops.SHOPS)} are busy: {len(alarms)} alarms are on", _since(began))

        burst, patience = time.monotonic(), self._server.now() + PATIENCE_OF_CUSTOMERS
        with ThreadPoolExecutor(SENDERS) as pool:
            posts = [pool.submit(self._post, _contributors(alarms, events, n)) for n in range(SENDERS)]
            _until("the customers to give up", lambda: self._server.now() > patience)
            customers.come(EARLY)
            sent = sum(post.result() for post in posts)
        self._tell(f"{sent:,} more events, of the time series behind them, are on the bus", _since(burst))
        _until("the queue to be empty", lambda: not self.tally.waiting("SignalsUrl"))
        drained = _since(burst)
        self._tell("every event is decided", drained)
        began = time.monotonic()
        _until("the executions to end", lambda: "RUNNING" not in self.tally.executions())
        self._tell("what was being remedied is judged", _since(began))
        return sent, drained

    def _acted(self) -> list[str]:
        """What was changed, in words."""
        found = self._ledger.incidents(shops.WORKLOAD, shops.ENVIRONMENT, len(shops.SHOPS))
        cases = [self._ledger.case(incident.id) for incident in found]
        return sorted(a.plan.summary for case in cases for a in case.attempts if a.plan and a.applied_at)

    def _alarms_on(self) -> list[dict[str, Any]]:
        pages = self._server.client("cloudwatch").get_paginator("describe_alarms")
        found = pages.paginate(AlarmNamePrefix=shops.STACK, StateValue="ALARM")
        return [alarm for page in found for alarm in page["MetricAlarms"]]

    def _post(self, events: Iterator[dict[str, Any]]) -> int:
        """Put events on the bus that only AWS itself can send; answers how many."""
        connection, count = HTTPConnection("127.0.0.1", self._server.port, timeout=60), 0
        while batch := list(islice(events, AT_ONCE)):
            connection.request("POST", "/_selfright/events", json.dumps(batch))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != HTTPStatus.OK:
                raise SandboxError(f"the bus refused events: {text.decode()}")
            count += len(batch)
        connection.close()
        return count


def _contributors(alarms: list[dict[str, Any]], events: int, part: int) -> Iterator[dict[str, Any]]:
    """One sender's part of the burst: every alarm in turn, each time for another of its time series.

    An alarm over many time series tells of each (up to 500 of them); the local AWS evaluates none such, so this is what
    CloudWatch would send.
    """
    for number in range(part, events, SENDERS):
        alarm = alarms[number % len(alarms)]
        since = alarm["StateTransitionedTimestamp"]
        yield {
            "source": "aws.cloudwatch",
            "detail-type": "CloudWatch Alarm Contributor State Change",
            "account": ACCOUNT,
            "region": REGION,
            "resources": [alarm["AlarmArn"]],
            "detail": {
                "alarmName": alarm["AlarmName"],
                "configuration": {"metrics": []},
                "state": {
                    "value": "ALARM",
                    "reason": alarm["StateReason"],
                    "timestamp": f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}+0000",
                },
                "alarmContributor": {
                    "id": f"{number:016x}",
                    "attributes": {"Partition": str(number // len(alarms))},
                },
            },
        }


def _until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise SandboxError(f"the rehearsal waited {PATIENCE:.0f} s for {what} in vain")
        time.sleep(LOOK_EVERY)


def _since(began: float) -> float:
    return time.monotonic() - began
