"""User sessions: a session lives for half an hour after its last analysis."""

from __future__ import annotations

import os
import time

from .clients import client

_LIFE = 1800  # seconds


def touch(session_id: str) -> None:
    """Note that the session asked for one more analysis."""
    now = int(time.time())
    client("dynamodb").update_item(
        TableName=os.environ["SESSIONS_TABLE"],
        Key={"session_id": {"S": session_id}},
        UpdateExpression="SET last_seen = :now, expires_at = :end ADD analyses :one",
        ExpressionAttributeValues={
            ":now": {"N": str(now)},
            ":end": {"N": str(now + _LIFE)},
            ":one": {"N": "1"},
        },
    )


def count_active() -> int:
    """How many sessions live now.

    Reads the whole table: DynamoDB deletes expired sessions within days, so it stays as small as a few days
    of users.
    """
    pages = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=os.environ["SESSIONS_TABLE"],
            Select="COUNT",
            FilterExpression="expires_at > :now",
            ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
        )
    )
    return sum(page["Count"] for page in pages)
