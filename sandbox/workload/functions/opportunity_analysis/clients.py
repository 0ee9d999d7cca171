"""AWS clients, one per service for the life of an execution environment."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from .injected_faults import inject_into

_connect: Any = boto3.client


@cache
def client(service: str, attempts: int = 2) -> Any:
    """A client that tries a call at most `attempts` times.

    Legacy retry mode, because its first wait is 50 ms for DynamoDB where the standard mode's is up to a
    second: a user is waiting, and a table that is short of capacity is still short of it a second later.
    """
    made = _connect(
        service,
        config=Config(
            connect_timeout=2, read_timeout=60, retries={"mode": "legacy", "total_max_attempts": attempts}
        ),
    )
    if os.environ.get("FAULTS_PARAMETER") and service != "ssm":
        inject_into(made, service)
    return made
