"""The table of analysis results: written once per analysis, read by the cache and by the later analyses."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from . import settings
from .analysis import Report
from .clients import client
from .errors import ResultNotStoredError
from .opportunity import Opportunity
from .query_generation import AwardsQuery

_THROTTLES = {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}


def store(opportunity: Opportunity, query: AwardsQuery, report: Report, request_id: str) -> str:
    """Write the result and return its id, which sorts by time. Raises ResultNotStoredError."""
    analysis_id = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}#{request_id}"
    item = {
        "opportunity_id": opportunity.id,
        "analysis_id": analysis_id,
        "opportunity": opportunity.document(),
        "query": query.document(),
        "report": report.document(),
    }
    try:
        client("dynamodb").put_item(TableName=_table(), Item=_serialized(item))
    except ClientError as error:
        throttled = error.response["Error"]["Code"] in _THROTTLES
        raise ResultNotStoredError(f"dynamodb: {error}", throttled=throttled) from error
    except BotoCoreError as error:
        raise ResultNotStoredError(f"dynamodb: {error}", throttled=False) from error
    return analysis_id


def latest(opportunity_id: str, not_older: timedelta | None = None) -> dict[str, Any] | None:
    """The newest result of an opportunity, or None; with `not_older`, only one that is no older than that."""
    since = datetime.now(UTC) - not_older if not_older is not None else datetime.fromtimestamp(0, UTC)
    answer = client("dynamodb").query(
        TableName=_table(),
        KeyConditionExpression="opportunity_id = :id AND analysis_id >= :since",
        ExpressionAttributeValues={
            ":id": {"S": opportunity_id},
            ":since": {"S": f"{since:%Y-%m-%dT%H:%M:%SZ}"},
        },
        ScanIndexForward=False,
        Limit=1,
    )
    for item in answer["Items"]:
        return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    return None


def _table() -> str:
    """The table that was deployed, unless the settings name another one: a restored one, say."""
    return settings.current().results_table or os.environ["RESULTS_TABLE"]


def _serialized(item: dict[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in item.items()}
