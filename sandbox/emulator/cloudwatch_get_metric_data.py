"""GetMetricData: metric math by the product's solver, exact dimensions, order and paging as CloudWatch does them.

MiniStack answers expressions with InternalError, ignores ScanBy and MaxDatapoints, and takes a query without
dimensions for all dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.cloudwatch_statistics import buckets
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import Metric, MetricQuery, solve
from selfright.domain.errors import BadInputError

# API Reference, GetMetricData.
MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
MINUTE = 60

GetMetricData = Callable[[dict[str, Any], dict[str, Any], bool, bool], Any]
Request = dict[str, Any]


def install(_clock: SandboxClock) -> None:
    def with_math(before: GetMetricData) -> GetMetricData:
        def get_metric_data(params: dict[str, Any], data: Request, is_cbor: bool, is_json: bool) -> Any:
            if not (is_cbor or is_json):
                return before(params, data, is_cbor, is_json)
            try:
                answer = results(data)
            except BadInputError as error:
                return original(cloudwatch, "_error")(
                    "ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor
                )
            if is_json:
                return original(cloudwatch, "_json_ok")(answer)
            stamp = original(cloudwatch, "_cbor_timestamp")
            for result in answer["MetricDataResults"]:
                result["Timestamps"] = [stamp(at) for at in result["Timestamps"]]
            return original(cloudwatch, "_cbor_ok")(answer)

        return get_metric_data

    replace(cloudwatch, "_get_metric_data", with_math)


def results(data: Request) -> dict[str, Any]:
    """The answer to GetMetricData, timestamps in epoch seconds.

    Raises BadInputError where CloudWatch would answer with a ValidationError.
    """
    asked = data.get("MetricDataQueries") or []
    if not 0 < len(asked) <= MAX_QUERIES:
        raise BadInputError("MetricDataQueries", f"1 to {MAX_QUERIES} queries")
    start, end = (original(cloudwatch, "_parse_ts")(data.get(name)) for name in ("StartTime", "EndTime"))
    if start is None or end is None or start >= end:
        raise BadInputError("StartTime", "must be before EndTime")
    queries = _queries(asked)
    series: dict[str, dict[float, float]] = {}
    times: set[float] = set()
    for query in queries:
        if query.metric is not None:
            first = aligned(start, query.period)
            row = buckets(query.metric, query.period, first, end)
            series[query.id] = {bucket.start: bucket.value for bucket in row}
            times.update(first + step * query.period for step in range(-(-int(end - first) // query.period)))
    solved = solve(queries, series, _period(queries), times=times)
    descending = data.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    rows = [
        {
            "Id": query["Id"],
            "Label": query.get("Label") or _label(query),
            "StatusCode": "Complete",
            "points": sorted(solved[query["Id"]].items(), reverse=descending),
        }
        for query in asked
        if query.get("ReturnData", True)
    ]
    return _page(rows, int(data.get("NextToken") or 0), int(data.get("MaxDatapoints") or MAX_DATAPOINTS))


def aligned(start: float, period: int) -> float:
    """Where the first period begins: at the full minute, for shorter periods at the full period."""
    step = min(period, MINUTE)
    return float(start // step * step)


def _queries(asked: list[Request]) -> list[MetricQuery]:
    """The queries as the solver takes them. An expression has the period of the metrics; one of its own is
    for SEARCH and SELECT, which are not supported.
    """
    queries = []
    for query in asked:
        source = query.get("MetricStat")
        if (source is None) == (query.get("Expression") is None):
            raise BadInputError(
                f"MetricDataQueries.{query.get('Id')}", "exactly one of MetricStat and Expression"
            )
        if source is None:
            queries.append(MetricQuery(id=query["Id"], expression=query["Expression"], period=0))
            continue
        metric = source["Metric"]
        queries.append(
            MetricQuery(
                id=query["Id"],
                period=int(source["Period"]),
                metric=Metric(
                    namespace=metric["Namespace"],
                    name=metric["MetricName"],
                    dimensions={each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()},
                    stat=source["Stat"],
                    unit=source.get("Unit"),
                ),
            )
        )
    if len({query.id for query in queries}) != len(queries):
        raise BadInputError("MetricDataQueries", "every Id must be used once")
    return queries


def _period(queries: list[MetricQuery]) -> int:
    return min((query.period for query in queries if query.metric is not None), default=MINUTE)


def _label(query: Request) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"] if query.get("MetricStat") else query["Id"])


def _page(rows: list[dict[str, Any]], skipped: int, size: int) -> dict[str, Any]:
    """`size` datapoints over all rows after the first `skipped`. NextToken is the number of those given so far."""
    left, given, shown = size, skipped, []
    total = sum(len(row["points"]) for row in rows)
    for row in rows:
        points = row.pop("points")
        mine = points[skipped : skipped + left]
        skipped = max(0, skipped - len(points))
        left -= len(mine)
        given += len(mine)
        status = "Complete" if given >= total or mine == points else "PartialData"
        shown.append(
            {
                **row,
                "StatusCode": status,
                "Timestamps": [at for at, _ in mine],
                "Values": [value for _, value in mine],
            }
        )
    return {"MetricDataResults": shown, **({"NextToken": str(given)} if given < total else {})}
