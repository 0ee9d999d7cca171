"""Start the local AWS: GATEWAY_PORT=4566 python -m sandbox.emulator"""

from __future__ import annotations

import importlib
import os

from sandbox.emulator.clock import SandboxClock

# In this order: a later behaviour may rely on an earlier one.
BEHAVIOURS: tuple[str, ...] = (
    "cloudwatch_time",
    "cloudwatch_store",
    "cloudwatch_suppression",
    "cloudwatch_mute_rules",
    "cloudwatch_alarm_definitions",
    "cloudwatch_alarm_changes",
    "cloudwatch_alarms",
    "cloudwatch_get_metric_data",
    "cloudwatch_get_metric_statistics",
    "cloudwatch_log_metrics",
    "cloudwatch_log_search",
    "dynamodb_time",
    "dynamodb_metrics",
    "dynamodb_throttling",
    "dynamodb_capacity_changes",
    "dynamodb_change_log",
    "dynamodb_continuous_backups",
    "dynamodb_restores",
    "dynamodb_exports",
    "autoscaling_targets",
    "cloudformation_alarms",
    "cloudformation_changes",
    "cloudformation_time",
    "cloudformation_drift",
    "cloudformation_tables",
    "cloudformation_topics",
    "cloudformation_types",
    "lambda_time",
    "s3_time",
    "lambda_execution",
    "lambda_metrics",
    "lambda_aliases",
    "lambda_async",
    "lambda_polling",
    "lambda_code",
    "events_clock",
    "events_delivery",
    "events_cloudformation",
    "events_admin",
    "people",
    "iam_requests",
    "iam_appconfig",
    "iam_dynamodb",
    "iam_states",
    "iam_calls",
    "step_functions",
    "faults",
)


def main() -> None:
    """Install every behaviour, then serve until stopped."""
    os.environ.setdefault("BIND_HOST", "127.0.0.1")
    os.environ.setdefault("IOT_MTLS_ENABLED", "0")
    from ministack.app import main as serve

    clock = SandboxClock.from_environment()
    for name in BEHAVIOURS:
        importlib.import_module(f"sandbox.emulator.{name}").install(clock)
    serve()


if __name__ == "__main__":
    main()
