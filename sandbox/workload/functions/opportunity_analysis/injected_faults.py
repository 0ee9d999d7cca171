"""Rehearsal of a failing dependency: its calls are answered late or with its own error, below the SDK.

Loaded only where the stack was deployed with `FaultInjection: enabled` (which a real production is not). The
fault is a JSON document in the parameter FAULTS_PARAMETER, which does not exist in peaceful times:

    {"service": "bedrock-runtime", "resource": "amazon.nova-pro-v1:0", "share": 0.5,
     "delay_seconds": 0, "status": 424, "error": "ModelErrorException"}

`resource` limits it to calls whose address holds that text; `share` is how many of them it hits; without
`error` a call is only late.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ClientError

_connect: Any = boto3.client
_kept: tuple[float, dict[str, Any] | None] | None = None  # when it was read (monotonic), what it said


def inject_into(client: Any, service: str) -> None:
    """Let the current fault, if there is one for `service`, answer this client's calls."""

    def before_send(request: Any, **_: Any) -> AWSResponse | None:
        fault = _current()
        if (
            fault is None
            or fault["service"] != service
            or fault.get("resource", "") not in unquote(request.url)
        ):
            return None
        if random.random() >= fault.get("share", 1.0):  # noqa: S311 - dice of a rehearsal, no secret
            return None
        time.sleep(fault.get("delay_seconds", 0))
        return _answer(request.url, fault["status"], fault["error"]) if "error" in fault else None

    client.meta.events.register("before-send", before_send)


class _Body:
    """As much of an HTTP response's stream as botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _answer(url: str, status: int, error: str) -> AWSResponse:
    body = json.dumps({"__type": error, "message": "The request failed while it was processed. (rehearsal)"})
    headers = HTTPHeaders.from_pairs({"content-type": "application/json", "x-amzn-errortype": error}.items())
    return AWSResponse(url, status, headers, _Body(body.encode()))


def _current() -> dict[str, Any] | None:
    global _kept  # noqa: PLW0603 - one execution environment serves many requests; this is its cache
    now = time.monotonic()
    if _kept is None or now - _kept[0] >= float(os.environ["SETTINGS_TTL_SECONDS"]):
        _kept = (now, _read())
    return _kept[1]


def _read() -> dict[str, Any] | None:
    try:
        answer = _parameters().get_parameter(Name=os.environ["FAULTS_PARAMETER"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise
    fault: dict[str, Any] = json.loads(answer["Parameter"]["Value"])
    return fault


@cache
def _parameters() -> Any:
    return _connect("ssm")
