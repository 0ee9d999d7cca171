"""The state machine's role signs every call of its states, so the server's IAM checks apply to them (AUTH=true)."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from ministack import app
from ministack.services import sts

from sandbox.emulator.step_functions import interpreter
from sandbox.emulator.wrapping import PinnedNameMovedError, original, replace

# Lambda's longest run; a state's own TimeoutSeconds ends earlier.
READ_TIMEOUT = 900

_clients: dict[tuple[str, str, str], Any] = {}
_creating = threading.Lock()  # creating a boto3 client is not thread-safe


def client(region: str, service: str, role_arn: str) -> Any:
    """A client of this server, signed as a session of `role_arn`."""
    key = (region, service, role_arn)
    with _creating:
        if key not in _clients:
            _clients[key] = _create(region, service, role_arn)
        return _clients[key]


def _create(region: str, service: str, role_arn: str) -> Any:
    create: Any = boto3.client
    created = create(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        config=Config(
            # Step Functions passes what it does not know on to the service, which refuses it by itself.
            parameter_validation=False,
            retries={"total_max_attempts": 1},  # retrying is the definition's business
            max_pool_connections=64,
            inject_host_prefix=False,
            read_timeout=READ_TIMEOUT,
            user_agent_extra=f"states/{role_arn.rsplit('/', 1)[-1]}",
        ),
        **_session(role_arn),
    )
    created.meta.events.register("after-call", _give_request_id)
    return created


def _session(role_arn: str) -> dict[str, str]:
    """Credentials of a session of the role, known to the server's STS."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    if not app.AUTH:
        # Without IAM the access key's only meaning is the account.
        return {"aws_access_key_id": account, "aws_secret_access_key": "unchecked"}
    secret = hashlib.sha256(f"states:{role_arn}".encode()).hexdigest()
    access_key, token = f"ASIA{secret[:16].upper()}", f"states-{secret}"
    original(sts, "register_session")(
        access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/states",
            "UserId": f"{name}:states",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "aws_access_key_id": access_key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }


def _give_request_id(parsed: Any, **_more: Any) -> None:
    """MiniStack's IAM refusals carry none, and the cause of a failed task quotes it."""
    if isinstance(parsed, dict):
        parsed.setdefault("ResponseMetadata", {}).setdefault("RequestId", str(uuid.uuid4()))


def install() -> None:
    original(app, "AUTH")
    original(sts, "register_session")

    def as_role(_before: Callable[..., Any]) -> Callable[..., Any]:
        def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
            return client(region, service, state_credentials.role_arn)

        return client_for

    callers = [found for found in interpreter.loaded() if hasattr(found, "boto_client_for")]
    if not callers:
        raise PinnedNameMovedError("no module of moto's interpreter uses boto_client_for any more")
    for caller in callers:
        replace(caller, "boto_client_for", as_role)
