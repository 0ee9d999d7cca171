"""AWS's JSON protocol on one kept connection: the calls that every signal makes, without the weight of an SDK.

Importing botocore and making two of its clients is most of a cold start, and building a request a third of a warm one
(docs/decisions/0006-cold-starts.md). DynamoDB and Step Functions take a signed POST of JSON and answer JSON: that much
is here. `lean_client` says where it may stand in; everywhere else botocore does. Errors are botocore's own.

Signing: Signature Version 4, docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import select
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TABLE = "lean.json"  # layers/trim_models.py writes it beside botocore's models
CONNECT_TIMEOUT, READ_TIMEOUT = 2, 10  # seconds; as of botocore's clients in adapters/aws.py
TRIES = 2
# What AWS means to be asked again; botocore's standard mode has the same ones for these services.
BAD_GATEWAY = 502
TRANSIENT_STATUS = {500, BAD_GATEWAY, 503, 504}
TRANSIENT_CODES = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
}
# Settings that only botocore understands: where one of them is set, the lean client stands back.
NOT_LEAN = (
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SFN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "http_proxy",
    "https_proxy",
)


@dataclass(frozen=True)
class Service:
    """One service in one region. `tokens`: by operation, the parameter that makes a repeated request the same one."""

    signing_name: str
    region: str
    endpoint: str
    target: str
    content_type: str
    tokens: Mapping[str, str]


def lean_client(name: str, count: Callable[[str, str], None]) -> LeanClient | None:
    """A client of service `name`, or None where it takes botocore: outside of Lambda, with FIPS, a proxy, ...

    `count` is told the service and the operation of every call.
    """
    given = os.environ
    folder, region = given.get("AWS_DATA_PATH"), given.get("AWS_REGION")
    if "AWS_LAMBDA_FUNCTION_NAME" not in given or not folder or not region:
        return None
    if "AWS_ACCESS_KEY_ID" not in given or any(given.get(setting) for setting in NOT_LEAN):
        return None
    try:
        known = json.loads((Path(folder) / TABLE).read_text("utf-8"))[name]
    except (FileNotFoundError, KeyError):
        return None
    endpoint = given.get("AWS_ENDPOINT_URL") or known["endpoints"].get(region)
    if not endpoint or urlsplit(endpoint).path.strip("/"):
        return None
    service = Service(
        known["signing_name"], region, endpoint, known["target"], known["content_type"], known["tokens"]
    )
    return LeanClient(service, lambda operation: count(name, operation))


class LeanClient:
    """Methods are AWS's operations in snake case, parameters and answers AWS's JSON, as with a botocore client."""

    def __init__(self, service: Service, count: Callable[[str], None] = lambda _: None) -> None:
        self._service, self._count = service, count
        self._url = urlsplit(service.endpoint)
        self._local = threading.local()  # a connection carries one request at a time
        self._agent = f"selfright/{os.environ.get('AWS_LAMBDA_FUNCTION_VERSION', 'cli')}"
        self.exceptions = Exceptions()

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        if method.startswith("_"):
            raise AttributeError(method)
        operation = "".join(word.title() for word in method.split("_"))

        def call(**parameters: Any) -> dict[str, Any]:
            return self.call(operation, parameters)

        setattr(self, method, call)
        return call

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """AWS's answer.

        Raises botocore's ClientError for AWS's own, and HTTPClientError where there was no answer.
        """
        self._count(operation)
        if token := self._service.tokens.get(operation):
            parameters = {token: os.urandom(16).hex(), **parameters}
        body, one = json.dumps(parameters).encode(), os.urandom(16).hex()
        for left in reversed(range(TRIES)):
            try:
                status, answer = self._exchange(operation, body, one, TRIES - left)
            except (OSError, HTTPException) as error:
                self.close()
                if not left:
                    from botocore.exceptions import HTTPClientError

                    raise HTTPClientError(error=error) from error
            else:
                if status == 200:  # noqa: PLR2004 - HTTP's OK
                    return answer
                code = str(answer.get("__type", status)).rpartition("#")[2].partition(":")[0]
                if not left or (status not in TRANSIENT_STATUS and code not in TRANSIENT_CODES):
                    raise self.exceptions.made(code, status, answer, operation)
            _back_off()
        raise AssertionError("unreachable: the last try returns or raises")

    def _exchange(self, operation: str, body: bytes, one: str, attempt: int) -> tuple[int, dict[str, Any]]:
        connection = self._connection()
        headers = self._headers(operation, body)
        # As of every SDK of AWS: which requests are tries of one call.
        headers |= {"amz-sdk-invocation-id": one, "amz-sdk-request": f"attempt={attempt}; max={TRIES}"}
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        content = response.read()
        try:
            return response.status, dict(json.loads(content or b"{}"))
        except (TypeError, ValueError):  # not of the service: of something between it and us
            return BAD_GATEWAY, {"message": content[:200].decode(errors="replace")}

    def _connection(self) -> HTTPConnection:
        """The connection of this thread, a new one where AWS has hung up: Lambda may have slept for minutes."""
        kept: HTTPConnection | None = getattr(self._local, "connection", None)
        if kept and kept.sock and not select.select([kept.sock], [], [], 0)[0]:
            return kept
        self.close()
        if self._url.scheme == "https":
            made: HTTPConnection = HTTPSConnection(self._url.netloc, timeout=CONNECT_TIMEOUT, context=_tls())
        else:
            made = HTTPConnection(self._url.netloc, timeout=CONNECT_TIMEOUT)
        made.connect()
        made.sock.settimeout(READ_TIMEOUT)
        self._local.connection = made
        return made

    def close(self) -> None:
        """Hang up, for this thread; the next call makes a new one."""
        if connection := getattr(self._local, "connection", None):
            connection.close()
        self._local.connection = None

    def _headers(self, operation: str, body: bytes) -> dict[str, str]:
        signed = {
            "Content-Type": self._service.content_type,
            "Host": self._url.netloc,
            "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
            "X-Amz-Target": f"{self._service.target}.{operation}",
        }
        if token := os.environ.get("AWS_SESSION_TOKEN"):
            signed["X-Amz-Security-Token"] = token
        more = {"Authorization": self._authorization(signed, body), "User-Agent": self._agent}
        if trace := os.environ.get("_X_AMZN_TRACE_ID"):
            more["X-Amzn-Trace-Id"] = trace  # X-Ray's, and how AWS finds endless loops
        return signed | more

    def _authorization(self, headers: Mapping[str, str], body: bytes) -> str:
        lines = sorted((name.lower(), value) for name, value in headers.items())
        names = ";".join(name for name, _ in lines)
        canonical = "".join(f"{name}:{value}\n" for name, value in lines)
        request = f"POST\n/\n\n{canonical}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        moment, service = headers["X-Amz-Date"], self._service
        scope = f"{moment[:8]}/{service.region}/{service.signing_name}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
        return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"


class Exceptions:
    """Classes of ClientError by AWS's code, as a botocore client's `exceptions`. Imported when one is met."""

    def __getattr__(self, code: str) -> type[Exception]:
        if code.startswith("_"):
            raise AttributeError(code)
        from botocore.exceptions import ClientError

        made = type(code, (ClientError,), {})
        setattr(self, code, made)
        return made

    def made(self, code: str, status: int, answer: Mapping[str, Any], operation: str) -> Exception:
        """The error that says what AWS said."""
        message = answer.get("message") or answer.get("Message") or ""
        told = {
            **answer,
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        error: Exception = getattr(self, code)(told, operation)
        return error


@cache
def _tls() -> ssl.SSLContext:
    """One for all connections: reading the machine's certificate authorities takes 20 ms."""
    return ssl.create_default_context()


def _back_off() -> None:
    """Up to a second, as botocore's standard mode waits before its first repetition."""
    import random

    time.sleep(random.random())  # noqa: S311 - spreads load, protects nothing
