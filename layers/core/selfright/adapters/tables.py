"""DynamoDB tables: what they are, how they are used, and changes to their capacity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.metric_data import read_metric_data
from selfright.ports import TableState, Throttles, Usage

MINUTE = 60
# Metric name after Read/Write. One per cause since 2025-08; all with dimension TableName, absent when zero.
_CAUSES = {
    "provisioned": "ProvisionedThroughputThrottleEvents",
    "key_range": "KeyRangeThroughputThrottleEvents",
    "on_demand_maximum": "MaxOnDemandThroughputThrottleEvents",
    "account_limit": "AccountLimitThrottleEvents",
}


class DynamoDBTables:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def describe(self, table: str) -> TableState:
        with translated(f"describing table {table}"):
            found = self._aws.client("dynamodb").describe_table(TableName=table)["Table"]
        units = found.get("ProvisionedThroughput", {})
        on_demand = found.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
        return TableState(
            name=table,
            status=found["TableStatus"],
            on_demand=on_demand,
            read_units=None if on_demand else units["ReadCapacityUnits"],
            write_units=None if on_demand else units["WriteCapacityUnits"],
            decreases_today=units.get("NumberOfDecreasesToday", 0),
            last_decrease_at=units.get("LastDecreaseDateTime"),
            indexes=len(found.get("GlobalSecondaryIndexes", ())),
        )

    def usage(self, table: str, start: datetime, end: datetime) -> Mapping[str, Usage]:
        wanted: dict[str, tuple[str, str]] = {}
        for direction in ("Read", "Write"):
            low = direction.lower()
            consumed = f"Consumed{direction}CapacityUnits"
            wanted[f"{low}_units"] = (consumed, "Sum")
            wanted[f"{low}_requests"] = (consumed, "SampleCount")
            for cause, name in _CAUSES.items():
                wanted[f"{low}_{cause}"] = (f"{direction}{name}", "Sum")
        series = self._series(table, wanted, start, end)
        return {low: _usage(series, low) for low in ("read", "write")}

    def latency(self, table: str, start: datetime, end: datetime) -> float | None:
        operations = ("GetItem", "PutItem", "UpdateItem", "Query")
        queries = [
            _query(
                f"{stat.lower()}_{operation.lower()}",
                "SuccessfulRequestLatency",
                stat,
                table,
                Operation=operation,
            )
            for operation in operations
            for stat in ("Sum", "SampleCount")
        ]
        series = self._data(queries, start, end, table)
        total = sum(v for k, s in series.items() if k.startswith("sum_") for v in s.values())
        count = sum(v for k, s in series.items() if k.startswith("samplecount_") for v in s.values())
        return total / count if count else None

    def set_provisioned(self, table: str, read_units: int, write_units: int) -> None:
        self._update(
            table,
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": read_units, "WriteCapacityUnits": write_units},
        )

    def set_on_demand(self, table: str) -> None:
        self._update(table, BillingMode="PAY_PER_REQUEST")

    def _update(self, table: str, **change: Any) -> None:
        with translated(f"changing table {table}", changing=True):
            self._aws.client("dynamodb").update_table(TableName=table, **change)

    def _series(
        self, table: str, wanted: Mapping[str, tuple[str, str]], start: datetime, end: datetime
    ) -> dict[str, dict[float, float]]:
        queries = [_query(key, name, stat, table) for key, (name, stat) in wanted.items()]
        return self._data(queries, start, end, table)

    def _data(
        self, queries: list[dict[str, Any]], start: datetime, end: datetime, table: str
    ) -> dict[str, dict[float, float]]:
        found = read_metric_data(self._aws, queries, start, end, f"reading the metrics of table {table}")
        return {key: series.points for key, series in found.items()}


def _query(key: str, metric: str, stat: str, table: str, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": k, "Value": v} for k, v in {"TableName": table, **dimensions}.items()]
    found = {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": pairs}
    return {"Id": key, "MetricStat": {"Metric": found, "Period": MINUTE, "Stat": stat}}


def _usage(series: Mapping[str, Mapping[float, float]], low: str) -> Usage:
    """A throttled request would have consumed what a served one of the window consumed on average."""
    units, requests = series[f"{low}_units"], series[f"{low}_requests"]
    served = sum(requests.values())
    each = sum(units.values()) / served if served else 1.0
    causes = {cause: series[f"{low}_{cause}"] for cause in _CAUSES}
    minutes = set(units).union(*causes.values())
    demand = {m: units.get(m, 0.0) + each * sum(c.get(m, 0.0) for c in causes.values()) for m in minutes}
    return Usage(
        consumed_peak=max(units.values(), default=0.0) / MINUTE,
        demand_peak=max(demand.values(), default=0.0) / MINUTE,
        throttles=Throttles(**{cause: sum(s.values()) for cause, s in causes.items()}),
    )
