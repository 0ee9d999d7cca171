"""Application Auto Scaling's bounds for DynamoDB tables."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.adapters.aws import Aws, translated
from selfright.ports import ScalingTarget

_DIMENSIONS = {
    "read": "dynamodb:table:ReadCapacityUnits",
    "write": "dynamodb:table:WriteCapacityUnits",
}


class TableScalingTargets:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def describe(self, table: str) -> Mapping[str, ScalingTarget]:
        with translated(f"reading the autoscaling of table {table}"):
            found = self._aws.client("application-autoscaling").describe_scalable_targets(
                ServiceNamespace="dynamodb", ResourceIds=[f"table/{table}"]
            )["ScalableTargets"]
        targets = {t["ScalableDimension"]: t for t in found}
        return {
            direction: ScalingTarget(
                minimum=targets[dimension]["MinCapacity"],
                maximum=targets[dimension]["MaxCapacity"],
                suspended=targets[dimension]
                .get("SuspendedState", {})
                .get("DynamicScalingOutSuspended", False),
            )
            for direction, dimension in _DIMENSIONS.items()
            if dimension in targets
        }

    def set_maximum(self, table: str, direction: str, maximum: int) -> None:
        with translated(f"changing the autoscaling maximum of table {table}", changing=True):
            self._aws.client("application-autoscaling").register_scalable_target(
                ServiceNamespace="dynamodb",
                ResourceId=f"table/{table}",
                ScalableDimension=_DIMENSIONS[direction],
                MaxCapacity=maximum,
            )
