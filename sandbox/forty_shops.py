"""A workload of forty shops with a table each, made for the rehearsal of a storm: its manifest and its stack.

Both are written to a folder, as a user has them, and deployed from there: the manifest in the layer, the tables and
alarms by CloudFormation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selfright.domain.manifest import Environment

WORKLOAD = "forty-shops"
ENVIRONMENT = "development"
STACK = f"{WORKLOAD}-{ENVIRONMENT}"
SHOPS = tuple(f"shop-{number:02d}" for number in range(1, 41))
# Two sandbox minutes of unused capacity are two full items: whatever is written faster is throttled.
UNITS = 1
PERCENT = 5
# Parameters of the control plane that name the workload.
PARAMETERS = {
    "ManagedTables": f"{WORKLOAD}-*",
    "ManagedFunctions": f"{WORKLOAD}-*",
    "AlertsTopicName": f"{WORKLOAD}-alerts",
    "ChannelSecrets": WORKLOAD,
}


def table(shop: str) -> str:
    return f"{STACK}-{shop}"


def alarm(shop: str) -> str:
    return f"{table(shop)}-write-throttles"


def write(folder: Path) -> tuple[Path, Path]:
    """The folder of workloads and the template of the stack, written below `folder`. JSON is YAML."""
    workloads, template = folder / "workloads", folder / "template.json"
    manifest = workloads / WORKLOAD
    manifest.mkdir(parents=True, exist_ok=True)
    for file, document in (
        (manifest / "base.yaml", _manifest()),
        *(
            (manifest / f"{environment}.yaml", {}) for environment in Environment
        ),  # a build validates them all
        (template, _template()),
    ):
        file.write_text(json.dumps(document, indent=1) + "\n")
    return workloads, template


def _manifest() -> dict[str, Any]:
    return {
        "workload": WORKLOAD,
        "description": "Forty shops; each keeps its orders in a table of its own.",
        "owner": "forty-shops-team",
        "resources": {shop: {"type": "dynamodb-table", "name": table(shop)} for shop in SHOPS},
        "alarms": {
            f"{shop}-write-throttles": {
                "name": alarm(shop),
                "resource": shop,
                "symptom": "throttling",
                "severity": "critical",
            }
            for shop in SHOPS
        },
        "autonomy": {"runbooks": {"database-performance": "auto"}},
        "notifications": {
            "topic": f"{WORKLOAD}-alerts",
            "channels": {
                "alerts": {"type": "sns"},
                "team-chat": {"type": "slack", "secret": f"{WORKLOAD}/{ENVIRONMENT}/slack"},
                "pager": {"type": "pagerduty", "secret": f"{WORKLOAD}/{ENVIRONMENT}/pagerduty"},
            },
        },
    }


def _template() -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for shop in SHOPS:
        name = shop.title().replace("-", "")
        resources[f"{name}Orders"] = {"Type": "AWS::DynamoDB::Table", "Properties": _table(shop)}
        resources[f"{name}WriteThrottles"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "DependsOn": f"{name}Orders",
            "Properties": _alarm(shop),
        }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _table(shop: str) -> dict[str, Any]:
    return {
        "TableName": table(shop),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": UNITS},
        "AttributeDefinitions": [{"AttributeName": "order_id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
    }


def _alarm(shop: str) -> dict[str, Any]:
    of_table = {"Name": "TableName", "Value": table(shop)}
    puts = {"Name": "Operation", "Value": "PutItem"}
    return {
        "AlarmName": alarm(shop),
        "AlarmDescription": f"More than {PERCENT} % of the orders of {shop} are throttled.",
        "Metrics": [
            # Its sample count is the number of successful calls; DynamoDB has no metric of that name.
            _metric("written", "SuccessfulRequestLatency", "SampleCount", of_table, puts),
            _metric("throttled", "WriteThrottleEvents", "Sum", of_table),
            {
                "Id": "rate",
                "Label": "throttled writes, percent",
                "Expression": "100 * FILL(throttled, 0) / (written + FILL(throttled, 0))",
            },
        ],
        "EvaluationPeriods": 2,
        "Threshold": PERCENT,
        "ComparisonOperator": "GreaterThanThreshold",
        # What CloudWatch does for AWS/DynamoDB whatever is asked. Where nobody orders any more nothing got better.
        "TreatMissingData": "ignore",
    }


def _metric(name: str, metric: str, statistic: str, *dimensions: dict[str, str]) -> dict[str, Any]:
    watched = {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": list(dimensions)}
    return {
        "Id": name,
        "ReturnData": False,
        "MetricStat": {"Metric": watched, "Period": 60, "Stat": statistic},
    }
