"""One botocore session for all adapters, and AWS's errors translated into ours.

botocore and not boto3: its clients are the same, and boto3's own part (resources, S3 transfers) costs every cold
start 20 ms and is used by nobody here. Nothing of botocore is imported before it is needed: intake never does.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from selfright.adapters.lean_client import lean_client
from selfright.domain.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    RefusedError,
    SourceDownError,
    ThrottledError,
)

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session

_ERRORS: dict[str, type[Exception]] = {
    **dict.fromkeys(
        (
            "ThrottlingException",
            "Throttling",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "TransactionInProgressException",
            "TransactionConflictException",
        ),
        ThrottledError,
    ),
    **dict.fromkeys(
        (
            "ResourceNotFoundException",
            "ResourceNotFound",
            "NoSuchKey",
            "ExecutionDoesNotExist",
            "TableNotFoundException",
            "PolicyNotFoundException",
            "ParameterNotFound",  # SSM
        ),
        NotFoundError,
    ),
    **dict.fromkeys(
        (
            "ConditionalCheckFailedException",
            "ExecutionAlreadyExists",
            "TableAlreadyExistsException",
            "TableInUseException",  # a restore's target is being created
        ),
        ConflictError,
    ),
    **dict.fromkeys(
        (
            "ResourceInUseException",
            "ConcurrentUpdateException",
            "ContinuousBackupsUnavailableException",  # DynamoDB: a new table's backups are being set up
            "ResourceConflictException",  # Lambda: an update is under way
            "ConflictException",  # AppConfig: another deployment is under way
            "PreconditionFailedException",  # Lambda: the RevisionId is not the present one any more
        ),
        BusyError,
    ),
}
# Where a change is asked for, these are AWS's answer, not a failure to ask.
_REFUSALS = {
    "AccessDenied",  # S3
    "AccessDeniedException",
    "BadRequestException",
    "ExportConflictException",
    "InvalidDefinition",
    "InvalidExportTimeException",
    "InvalidParameterValueException",
    "InvalidRestoreTimeException",
    "LimitExceededException",
    "PointInTimeRecoveryUnavailableException",
    "ServiceQuotaExceededException",
    "ValidationError",  # CloudFormation
    "ValidationException",
}


class Aws:
    """Clients by service, made once each on one session; counts the calls they make.

    `credentials` (key, secret, token) and `region`: of another account; left out, those of the environment.
    """

    def __init__(self, credentials: tuple[str, str, str] | None = None, region: str | None = None) -> None:
        self._credentials, self._region = credentials, region
        self.calls: Counter[str] = Counter()
        self._clients: dict[str, Any] = {}
        self._lean: dict[str, Any] = {}
        self._patient: dict[tuple[str, float], Any] = {}
        self._lock = (
            threading.RLock()
        )  # checks run in threads, and a Session may not make clients in two at once

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                connect: Any = self._session.create_client
                self._clients[service] = connect(service, region_name=self._region, config=self._config)
            return self._clients[service]

    def patient(self, service: str, seconds: float) -> Any:
        """A client of its own that waits so long for an answer, and never asks twice."""
        from botocore.config import Config

        with self._lock:
            if (service, seconds) not in self._patient:
                once = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=seconds)
                connect: Any = self._session.create_client
                self._patient[service, seconds] = connect(service, config=self._config.merge(once))
            return self._patient[service, seconds]

    def lean(self, service: str) -> Any:
        """A client for the calls of every signal: `client`'s, or a lighter one that answers the same where it may.

        Only for values that JSON knows: no bytes, no moments.
        """
        with self._lock:
            if service not in self._lean:
                self._lean[service] = lean_client(service, self._counted) or self.client(service)
            return self._lean[service]

    @cached_property
    def _session(self) -> Session:
        from botocore.session import Session

        session = Session()
        if self._credentials:
            session.set_credentials(*self._credentials)
        session.register("before-call", self._count)
        return session

    @cached_property
    def _config(self) -> Config:
        from botocore.config import Config

        # A step retries as a whole (statemachines/): inside it, two quick tries are enough.
        return Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=2,
            read_timeout=10,
            parameter_validation=False,  # AWS checks as well, the tests do; a tenth of a call's CPU
            user_agent_extra=f"selfright/{os.environ.get('AWS_LAMBDA_FUNCTION_VERSION', 'cli')}",
        )

    def _count(self, **call: Any) -> None:
        model = call["model"]
        self._counted(model.service_model.service_name, model.name)

    def _counted(self, service: str, operation: str) -> None:
        with self._lock:
            self.calls[f"{service}:{operation}"] += 1


@contextmanager
def translated(doing: str, *, changing: bool = False) -> Iterator[None]:
    """Raise our error for AWS's; `doing` is the start of its message ("reading alarm x").

    `changing`: the call changes a resource, so a quota, a rule or a missing permission is a RefusedError.
    """
    try:
        yield
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            if changing and code in _REFUSALS:
                raise RefusedError(f"{doing}: {error}") from error
            raise _ERRORS.get(code, SourceDownError)(f"{doing}: {error}") from error
        if isinstance(error, BotoCoreError):
            raise SourceDownError(f"{doing}: {error}") from error
        raise
