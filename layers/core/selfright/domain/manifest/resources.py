"""The parts of a workload that Selfright may look at and act on, one model per AWS type."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from selfright.domain.manifest.section import (
    Count,
    Flag,
    FlagName,
    Key,
    PhysicalName,
    Section,
    Share,
    all_defaults,
    at_least,
)


class ResourceType(StrEnum):
    """What a resource is on AWS."""

    DYNAMODB_TABLE = "dynamodb-table"
    LAMBDA_FUNCTION = "lambda-function"
    S3_BUCKET = "s3-bucket"
    STATE_MACHINE = "state-machine"
    EVENT_BUS = "event-bus"
    SQS_QUEUE = "sqs-queue"
    SNS_TOPIC = "sns-topic"


class _Resource(Section):
    name: PhysicalName = Field(
        description="Physical name on AWS; {workload} and {environment} are filled in."
    )
    protected: Flag = Field(default=False, description="Selfright may read it but never changes it.")


class TableCapacity(Section):
    """Between which bounds a table's read and write units may move."""

    min_units: Count = 5
    max_units: Annotated[Count, at_least("min_units")] = 100
    target_utilisation: Share = Field(default=0.7, description="Consumed ÷ provisioned units to aim at.")
    on_demand_allowed: Flag = Field(
        default=False,
        description="May the table be switched to on-demand billing? AWS allows few switches a day.",
    )


class DynamoDBTable(_Resource):
    type: Literal[ResourceType.DYNAMODB_TABLE]
    capacity: TableCapacity = all_defaults()


class Concurrency(Section):
    """Between which bounds a function's reserved concurrent executions may move."""

    min: Count = 1
    max: Annotated[Count, at_least("min")] = 100


class Circuit(Section):
    """The feature flag that keeps the application away from a dependency while it is true."""

    application: PhysicalName = Field(description="AppConfig application, by name.")
    environment: PhysicalName = Field(description="AppConfig environment, by name.")
    profile: PhysicalName = Field(description="Freeform JSON configuration profile, by name.")
    flag: FlagName


class LambdaFunction(_Resource):
    type: Literal[ResourceType.LAMBDA_FUNCTION]
    alias: Key = Field(default="live", description="The alias that users are sent to.")
    concurrency: Concurrency = all_defaults()
    circuits: dict[Key, Circuit] = Field(
        default={},
        description="By dependency, as the function's log lines name it.",
    )


class S3Bucket(_Resource):
    type: Literal[ResourceType.S3_BUCKET]


class StateMachine(_Resource):
    type: Literal[ResourceType.STATE_MACHINE]
    alias: Key = Field(default="live", description="The alias that starts executions; releases need it.")


class EventBus(_Resource):
    type: Literal[ResourceType.EVENT_BUS]


class SQSQueue(_Resource):
    type: Literal[ResourceType.SQS_QUEUE]


class SNSTopic(_Resource):
    type: Literal[ResourceType.SNS_TOPIC]


Resource = Annotated[
    DynamoDBTable | LambdaFunction | S3Bucket | StateMachine | EventBus | SQSQueue | SNSTopic,
    Field(discriminator="type"),
]
