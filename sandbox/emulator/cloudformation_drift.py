"""Drift detection reads Lambda aliases, as AWS's does: where an alias points to, and the weights beside it.

AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-supported-resources.html
"""

from __future__ import annotations

from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original

Properties = dict[str, Any]
READ = frozenset({"Name", "FunctionVersion", "RoutingConfig", "Description"})


def install(_clock: SandboxClock) -> None:
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import drift

    def read(arn: str, _properties: Properties) -> Properties | None:
        function, alias = arn.split(":")[6:8]
        record = original(lambda_svc, "_functions").get(function, {})
        found: Properties | None = record.get("aliases", {}).get(alias)
        return {name: found[name] for name in READ if name in found} if found else None

    original(drift, "_DRIFT_READERS")["AWS::Lambda::Alias"] = (read, READ)
