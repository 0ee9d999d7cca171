"""Lambda functions: what they run, how their requests go, and changes to alias and concurrency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.metric_data import read_metric_data
from selfright.domain.serving import AliasState, ConcurrencyState, FunctionState, Release, Tally

MINUTE = 60
# ListVersionsByFunction gives 50 a page, oldest first; nobody keeps more versions than these pages hold
# (code storage has a quota of 75 GB), and the newest must not be missed.
MOST_PAGES = 40
_METRICS = {"invocations": "Invocations", "crashes": "Errors", "refused": "Throttles"}


class LambdaFunctions:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def state(self, function: str) -> FunctionState:
        with translated(f"reading function {function}"):
            found = self._lambda.get_function_configuration(FunctionName=function)
        return FunctionState(
            changed_at=datetime.fromisoformat(found["LastModified"]),
            busy=found.get("LastUpdateStatus") == "InProgress",
        )

    def alias(self, function: str, alias: str) -> AliasState:
        with translated(f"reading alias {alias} of {function}"):
            found = self._lambda.get_alias(FunctionName=function, Name=alias)
        return AliasState(
            version=found["FunctionVersion"],
            weights=found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
            revision=found["RevisionId"],
        )

    def releases(self, function: str) -> Sequence[Release]:
        found: list[Release] = []
        with translated(f"reading the versions of {function}"):
            pages = self._lambda.get_paginator("list_versions_by_function").paginate(
                FunctionName=function, PaginationConfig={"MaxItems": MOST_PAGES * 50}
            )
            for page in pages:
                found += [
                    Release(version=v["Version"], published_at=datetime.fromisoformat(v["LastModified"]))
                    for v in page["Versions"]
                    if v["Version"] != "$LATEST"
                ]
        return sorted(found, key=lambda release: int(release.version), reverse=True)

    def tally(self, function: str, start: datetime, end: datetime) -> Tally:
        return self._tallies({"all": {"FunctionName": function}}, start, end, function)["all"]

    def tallies(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Tally]:
        where = {"FunctionName": function, "Resource": f"{function}:{alias}"}
        return self._tallies({v: {**where, "ExecutedVersion": v} for v in versions}, start, end, function)

    def durations(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Mapping[float, float]]:
        where = {"FunctionName": function, "Resource": f"{function}:{alias}"}
        queries = [
            _query(f"duration_{number}", "Duration", {**where, "ExecutedVersion": version}, "Average")
            for number, version in enumerate(versions)
        ]
        start = start.replace(second=0, microsecond=0)
        series = read_metric_data(self._aws, queries, start, end, f"reading the durations of {function}")
        return {version: series[f"duration_{number}"].points for number, version in enumerate(versions)}

    def p95(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, float]:
        where = {"FunctionName": function, "Resource": f"{function}:{alias}"}
        start = start.replace(second=0, microsecond=0)
        # One period for all of it: percentiles of parts do not make one of the whole.
        period = max(MINUTE, math.ceil((end - start).total_seconds() / MINUTE) * MINUTE)
        queries = [
            _query(f"p95_{number}", "Duration", {**where, "ExecutedVersion": version}, "p95", period)
            for number, version in enumerate(versions)
        ]
        series = read_metric_data(self._aws, queries, start, end, f"reading the p95 of {function}")
        found = {v: series[f"p95_{number}"].points.values() for number, v in enumerate(versions)}
        return {version: max(points) for version, points in found.items() if points}

    def concurrency(self, function: str) -> ConcurrencyState:
        with translated(f"reading the concurrency of {function}"):
            own = self._lambda.get_function_concurrency(FunctionName=function)
            account = self._lambda.get_account_settings()["AccountLimit"]
        return ConcurrencyState(
            reserved=own.get("ReservedConcurrentExecutions"),
            account_limit=account["ConcurrentExecutions"],
            account_unreserved=account["UnreservedConcurrentExecutions"],
        )

    def point(self, function: str, alias: str, version: str, revision: str) -> None:
        with translated(f"changing alias {alias} of {function}", changing=True):
            self._lambda.update_alias(
                FunctionName=function,
                Name=alias,
                FunctionVersion=version,
                # Left out, weights would stay as they are.
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=revision,
            )

    def reserve(self, function: str, units: int | None) -> None:
        with translated(f"changing the concurrency of {function}", changing=True):
            if units is None:
                self._lambda.delete_function_concurrency(FunctionName=function)
            else:
                self._lambda.put_function_concurrency(
                    FunctionName=function, ReservedConcurrentExecutions=units
                )

    @property
    def _lambda(self) -> Any:
        return self._aws.client("lambda")

    def _tallies(
        self, wanted: Mapping[str, Mapping[str, str]], start: datetime, end: datetime, function: str
    ) -> dict[str, Tally]:
        """One tally per set of dimensions; ids of queries are numbered, as a version begins with a digit."""
        queries = [
            _query(f"{part}_{number}", metric, dimensions)
            for number, dimensions in enumerate(wanted.values())
            for part, metric in _METRICS.items()
        ]
        if not queries:
            return {}
        # Periods are counted from StartTime on; on a minute's border they are the clock's minutes.
        start = start.replace(second=0, microsecond=0)
        series = read_metric_data(self._aws, queries, start, end, f"reading the metrics of {function}")
        return {
            key: Tally(**{part: series[f"{part}_{number}"].points for part in _METRICS})
            for number, key in enumerate(wanted)
        }


def _query(
    key: str, metric: str, dimensions: Mapping[str, str], stat: str = "Sum", period: int = MINUTE
) -> dict[str, Any]:
    pairs = [{"Name": k, "Value": v} for k, v in dimensions.items()]
    found = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": pairs}
    return {"Id": key, "MetricStat": {"Metric": found, "Period": period, "Stat": stat}}
