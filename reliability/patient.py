"""A table that throttles, without anybody who writes to it: its metrics are told to CloudWatch as its capacity has it.

Demand is a figure, the rest follows: what the table has it serves, the rest is throttled. A table that gets more
capacity is healed by it, unless `deaf` to it. A sandbox minute lasts half a second here; real writers would be too
many.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError

from sandbox.server import Server

MINUTE = 60
CALM, SICK = 2, 12  # units written a second, one unit each
AT_ONCE = 3  # minutes that the alarm looks back
LOOK_EVERY = 0.1  # seconds of the wall


class Patient:
    """Tells of every minute once it is over, while the `with` block runs."""

    def __init__(self, server: Server, table: str) -> None:
        self._server, self._table = server, table
        self._dynamodb, self._cloudwatch = server.client("dynamodb"), server.client("cloudwatch")
        self._lock = threading.Lock()
        self._demand, self._deaf = CALM, False
        self._told_until = int(server.now()) // MINUTE * MINUTE
        self._units = 0
        self._asked: dict[int, int] = {}  # requests told of, by minute
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="patient", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def fall_ill(self, *, deaf: bool) -> None:
        """Now, and already in the minutes that the alarm looks back at."""
        with self._lock:
            self._demand, self._deaf = SICK, deaf
            for back in range(AT_ONCE):
                minute = self._told_until - (back + 1) * MINUTE
                self._tell(minute, 0, SICK * MINUTE - self._asked.get(minute, 0))

    def recover(self) -> None:
        with self._lock:
            self._demand = CALM

    def _live(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            with self._lock:
                self._look()
                now = int(self._server.now()) // MINUTE * MINUTE
                while self._told_until < now:
                    able = SICK / 3 if self._deaf and self._demand == SICK else self._units
                    served = round(min(self._demand, able) * MINUTE)
                    self._tell(self._told_until, served, self._demand * MINUTE - served)
                    self._told_until += MINUTE

    def _look(self) -> None:
        """The units that the table has now; those it had before while it is put back."""
        try:
            found = self._dynamodb.describe_table(TableName=self._table)["Table"]
        except ClientError:
            return
        self._units = found["ProvisionedThroughput"]["WriteCapacityUnits"]

    def _tell(self, minute: int, served: int, throttled: int) -> None:
        """Add so many requests to a minute's."""
        self._asked[minute] = self._asked.get(minute, 0) + served + throttled
        data = []
        if served > 0:
            data += [
                self._datum("ConsumedWriteCapacityUnits", minute, 1.0, served),
                self._datum("SuccessfulRequestLatency", minute, 5.0, served, Operation="PutItem"),
            ]
        if throttled > 0:
            data += [
                self._datum(name, minute, 1.0, throttled)
                for name in ("WriteThrottleEvents", "WriteProvisionedThroughputThrottleEvents")
            ]
        if data:
            self._cloudwatch.put_metric_data(Namespace="AWS/DynamoDB", MetricData=data)

    def _datum(self, name: str, minute: int, value: float, count: int, **more: str) -> dict[str, Any]:
        return {
            "MetricName": name,
            "Dimensions": [{"Name": k, "Value": v} for k, v in {"TableName": self._table, **more}.items()],
            "Timestamp": datetime.fromtimestamp(minute + 1, UTC),
            "Values": [value],
            "Counts": [float(count)],
        }
