"""One boto3 session for all adapters, and AWS's errors translated into ours."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from selfright.domain.errors import BusyError, ConflictError, NotFoundError, SourceDownError, ThrottledError

_ERRORS: dict[str, type[Exception]] = {
    **dict.fromkeys(
        (
            "ThrottlingException",
            "Throttling",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
        ),
        ThrottledError,
    ),
    **dict.fromkeys(("ResourceNotFoundException", "ResourceNotFound", "NoSuchKey"), NotFoundError),
    **dict.fromkeys(("ConditionalCheckFailedException", "ExecutionAlreadyExists"), ConflictError),
    "ResourceInUseException": BusyError,
}


class Aws:
    """Clients by service, made once each on one session; counts the calls they make."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            connect: Any = self._session.client
            self._clients[service] = connect(service, config=self._config)
        return self._clients[service]

    @cached_property
    def _session(self) -> boto3.Session:
        session = boto3.Session()
        session.events.register("before-call", self._count)
        return session

    @cached_property
    def _config(self) -> Config:
        # A step retries as a whole (statemachines/): inside it, two quick tries are enough.
        return Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=2,
            read_timeout=10,
            user_agent_extra=f"selfright/{os.environ.get('AWS_LAMBDA_FUNCTION_VERSION', 'cli')}",
        )

    def _count(self, model: Any, **_: Any) -> None:
        self.calls[f"{model.service_model.service_name}:{model.name}"] += 1


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise our error for AWS's; `doing` is the start of its message ("reading alarm x")."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise _ERRORS.get(code, SourceDownError)(f"{doing}: {error}") from error
    except BotoCoreError as error:
        raise SourceDownError(f"{doing}: {error}") from error
