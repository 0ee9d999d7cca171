"""The answers of AWS services that fail or throttle, each in its own words and in its request's own protocol.

Codes and statuses: the "Common errors" and "Errors" of each service's API reference.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

Response = tuple[int, dict[str, str], bytes]

# By the service's IAM prefix: (code, status) of a failure of its own, and of a throttle.
FAILURES = {
    "appconfig": ("InternalServerException", 500),
    "application-autoscaling": ("InternalServiceException", 500),
    "cloudwatch": ("InternalServiceFault", 500),
    "dynamodb": ("InternalServerError", 500),
    "lambda": ("ServiceException", 500),
    "logs": ("ServiceUnavailableException", 500),
    "secretsmanager": ("InternalServiceError", 500),
    "sns": ("InternalError", 500),
    "states": ("InternalFailure", 500),
}
THROTTLES = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "lambda": ("TooManyRequestsException", 429),
    "sns": ("Throttled", 429),
    "appconfig": ("ThrottlingException", 429),
}
_FAILURE, _THROTTLE = ("InternalFailure", 500), ("ThrottlingException", 400)


def failure(action: str, headers: dict[str, str]) -> Response:
    """The service of `action` ("dynamodb:Query") breaks down."""
    return _error(
        *FAILURES.get(action.split(":", maxsplit=1)[0], _FAILURE), "We broke down. Try again.", headers
    )


def throttle(action: str, headers: dict[str, str]) -> Response:
    """The service of `action` has had enough of us."""
    return _error(*THROTTLES.get(action.split(":", maxsplit=1)[0], _THROTTLE), "Rate exceeded", headers)


def _error(code: str, status: int, message: str, headers: dict[str, str]) -> Response:
    """An error document as the protocol of the request has it; the SDK reads the code from it."""
    kind = headers.get("content-type", "").split(";")[0]
    if headers.get("smithy-protocol") == "rpc-v2-cbor" or kind == "application/cbor":
        said = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, said, _cbor({"__type": code, "message": message})
    if kind == "application/x-www-form-urlencoded":
        text = (
            f"<ErrorResponse><Error><Type>Receiver</Type><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>fault</RequestId></ErrorResponse>"
        )
        return status, {"Content-Type": "text/xml"}, text.encode()
    said = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    return status, said, json.dumps({"__type": code, "message": message}).encode()


def _cbor(texts: dict[str, str]) -> bytes:
    """A map of short texts (RFC 8949): major type 5 for the map, 3 for each text, lengths below 256."""

    def text(value: str) -> bytes:
        data = value.encode()
        return (bytes([0x60 | len(data)]) if len(data) < 24 else bytes([0x78, len(data)])) + data  # noqa: PLR2004

    return bytes([0xA0 | len(texts)]) + b"".join(text(name) + text(value) for name, value in texts.items())
