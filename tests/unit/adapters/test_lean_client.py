"""The lean client: signed as botocore signs, asks again where botocore would, and stands back where it is not enough."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError

from layers.lean_services import lean_services
from selfright.adapters import lean_client
from selfright.adapters.aws import Aws, translated
from selfright.adapters.lean_client import NOT_LEAN, TABLE, LeanClient
from selfright.domain.errors import SourceDownError, ThrottledError

REGION = "eu-central-1"
HANG_UP, SAY_NOTHING = "hang up", "say nothing"
OK = (200, {})
CANCELLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "Message": "Transaction cancelled",
    "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}],
}


@dataclass
class Asked:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class FakeService:
    """Answers each request with the next of `answers`, the last one for ever."""

    url: str = ""
    answers: list[Any] = field(default_factory=lambda: [OK])
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                service.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.asked.append(Asked(dict(self.headers), body))
                answer = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
                if answer == SAY_NOTHING:
                    service.over.wait(10)
                if isinstance(answer, str):
                    self.close_connection = True
                    return
                status, content = answer
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None: ...

        return Handler


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()
    server = ThreadingHTTPServer(("127.0.0.1", 0), fake.handler())
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield fake
    fake.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """How often the client waited before it asked again."""
    waited: list[None] = []
    monkeypatch.setattr(lean_client, "_back_off", lambda: waited.append(None))
    return waited


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the build makes."""
    folder = tmp_path_factory.mktemp("models")
    (folder / TABLE).write_text(json.dumps(lean_services(["dynamodb"])))
    return folder


@pytest.fixture
def function(service: FakeService, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The surroundings of a Lambda function."""
    for name in NOT_LEAN:
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_LAMBDA_FUNCTION_NAME": "receive-signal",
        "AWS_DATA_PATH": str(models),
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "session",
        "AWS_ENDPOINT_URL": service.url,
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(function: None) -> Iterator[Aws]:
    made = Aws()
    yield made
    made.lean("dynamodb").close()


@pytest.fixture
def client(aws: Aws) -> LeanClient:
    made = aws.lean("dynamodb")
    assert isinstance(made, LeanClient)
    return made


def test_a_call_is_posted_as_json_and_answered_as_json(client: LeanClient, service: FakeService):
    service.answers = [(200, {"Item": {"PK": {"S": "ä"}}})]

    answer = client.get_item(TableName="ledger", Key={"PK": {"S": "ä"}})

    assert answer == {"Item": {"PK": {"S": "ä"}}}
    (asked,) = service.asked
    assert asked.headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert asked.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert asked.json == {"TableName": "ledger", "Key": {"PK": {"S": "ä"}}}


@pytest.mark.parametrize("session", ["session", ""])
def test_the_signature_is_botocores(
    client: LeanClient, service: FakeService, monkeypatch: pytest.MonkeyPatch, session: str
):
    monkeypatch.setenv("AWS_SESSION_TOKEN", session)

    client.query(TableName="ledger", KeyConditionExpression="PK = :pk")

    (asked,) = service.asked
    signed = asked.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert ("x-amz-security-token" in signed) == bool(session)
    headers = {name: value for name, value in asked.headers.items() if name.lower() in signed}
    request = AWSRequest("POST", f"{service.url}/", headers=headers, data=asked.body)
    request.context["timestamp"] = headers["X-Amz-Date"]
    theirs = SigV4Auth(Credentials("AKID", "secret", session or None), "dynamodb", REGION)
    text = theirs.string_to_sign(request, theirs.canonical_request(request))
    assert asked.headers["Authorization"].endswith(f"Signature={theirs.signature(text, request)}")


def test_awss_error_is_botocores_with_all_that_aws_said(client: LeanClient, service: FakeService):
    service.answers = [(400, CANCELLED)]

    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        client.transact_write_items(TransactItems=[])

    assert isinstance(raised.value, ClientError)
    assert raised.value.response["CancellationReasons"] == CANCELLED["CancellationReasons"]
    assert raised.value.response["Error"] == {
        "Code": "TransactionCanceledException",
        "Message": "Transaction cancelled",
    }
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "first",
    [
        (400, {"__type": "x#ThrottlingException"}),
        (400, {"__type": "x#ProvisionedThroughputExceededException"}),
        (500, {"__type": "x#InternalServerError"}),
        (503, b"<html>busy</html>"),
        (200, b"<html>who are you?</html>"),
        (200, b"[]x"),
        (200, b"3"),
        HANG_UP,
    ],
)
def test_what_may_pass_is_asked_again_once(
    client: LeanClient, service: FakeService, waits: list[None], first: Any
):
    service.answers = [first, (200, {"Count": 1})]

    assert client.query(TableName="ledger") == {"Count": 1}

    assert len(service.asked) == 2
    assert len(waits) == 1


def test_a_repeated_write_carries_the_token_of_the_first(client: LeanClient, service: FakeService):
    service.answers = [HANG_UP, OK]

    client.transact_write_items(TransactItems=[])
    client.transact_write_items(TransactItems=[])

    first, again, another = (asked.json["ClientRequestToken"] for asked in service.asked)
    assert first == again != another


def test_tries_of_one_call_are_told_as_such(client: LeanClient, service: FakeService):
    service.answers = [HANG_UP, OK]

    client.get_item(TableName="ledger")
    client.get_item(TableName="ledger")

    first, again, another = (asked.headers["amz-sdk-invocation-id"] for asked in service.asked)
    assert first == again != another
    tries = [asked.headers["amz-sdk-request"] for asked in service.asked]
    assert tries == ["attempt=1; max=2", "attempt=2; max=2", "attempt=1; max=2"]


def test_a_second_refusal_is_the_answer(client: LeanClient, service: FakeService):
    service.answers = [(400, {"__type": "ThrottlingException", "message": "slow down"})]

    with pytest.raises(ThrottledError, match=r"reading x.*slow down"), translated("reading x"):
        client.get_item(TableName="ledger")

    assert len(service.asked) == 2


@pytest.mark.parametrize("silence", [HANG_UP, SAY_NOTHING])
def test_no_answer_is_a_source_that_is_down(
    client: LeanClient, service: FakeService, monkeypatch: pytest.MonkeyPatch, silence: str
):
    monkeypatch.setattr(lean_client, "READ_TIMEOUT", 0.05)
    service.answers = [silence]

    with pytest.raises(SourceDownError) as raised, translated("reading x"):
        client.get_item(TableName="ledger")

    assert isinstance(raised.value.__cause__, HTTPClientError)
    assert len(service.asked) == 2


def test_nobody_there_is_a_source_that_is_down(function: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(SourceDownError), translated("reading x"):
        Aws().lean("dynamodb").get_item(TableName="ledger")


def test_a_server_that_cannot_prove_who_it_is_is_a_source_that_is_down(
    function: None, service: FakeService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url.replace("http:", "https:"))

    with pytest.raises(SourceDownError, match="SSL"), translated("reading x"):
        Aws().lean("dynamodb").get_item(TableName="ledger")

    assert service.asked == []


def test_one_connection_serves_call_after_call(client: LeanClient, service: FakeService):
    for _ in range(3):
        client.get_item(TableName="ledger")

    assert service.connections == 1


def test_a_connection_that_was_closed_in_the_meantime_is_not_used(client: LeanClient, service: FakeService):
    # Given a server that hangs up after its answer, as AWS does with a connection that is idle for long
    service.answers = [(200, {"Connection": "kept"}), OK]
    client.get_item(TableName="ledger")
    client._local.connection.sock.shutdown(2)

    client.get_item(TableName="ledger")

    assert (service.connections, len(service.asked)) == (2, 2)


def test_threads_have_connections_of_their_own(client: LeanClient, service: FakeService):
    def call(number: int) -> None:
        client.get_item(TableName=str(number))
        client.close()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(asked.json["TableName"] for asked in service.asked) == list("01234")
    assert service.connections == 5


def test_calls_are_counted_as_botocores_are(aws: Aws):
    aws.lean("dynamodb").get_item(TableName="ledger")

    assert aws.calls == {"dynamodb:GetItem": 1}


def test_one_client_is_made(aws: Aws):
    assert aws.lean("dynamodb") is aws.lean("dynamodb")


@pytest.mark.parametrize("setting", NOT_LEAN)
def test_a_setting_that_only_botocore_knows_takes_botocore(
    function: None, monkeypatch: pytest.MonkeyPatch, setting: str
):
    monkeypatch.setenv(setting, "true")

    assert lean_client.lean_client("dynamodb", lambda *_: None) is None


@pytest.mark.parametrize(
    "missing", ["AWS_LAMBDA_FUNCTION_NAME", "AWS_DATA_PATH", "AWS_REGION", "AWS_ACCESS_KEY_ID"]
)
def test_outside_of_lambda_it_takes_botocore(function: None, monkeypatch: pytest.MonkeyPatch, missing: str):
    monkeypatch.delenv(missing)

    assert lean_client.lean_client("dynamodb", lambda *_: None) is None


def test_a_region_that_the_build_did_not_know_takes_botocore(function: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", "xx-new-1")

    assert lean_client.lean_client("dynamodb", lambda *_: None) is None


def test_a_service_that_the_build_did_not_know_takes_botocore(function: None):
    assert lean_client.lean_client("stepfunctions", lambda *_: None) is None


def test_endpoints_are_botocores_in_every_partition():
    known = lean_services(["dynamodb", "stepfunctions"])

    assert known["stepfunctions"]["signing_name"] == "states"
    assert known["stepfunctions"]["endpoints"]["cn-north-1"] == "https://states.cn-north-1.amazonaws.com.cn"
    assert known["dynamodb"]["endpoints"]["us-gov-west-1"] == "https://dynamodb.us-gov-west-1.amazonaws.com"
    assert known["dynamodb"]["tokens"]["TransactWriteItems"] == "ClientRequestToken"


def test_a_service_that_speaks_no_json_has_no_lean_client():
    with pytest.raises(ValueError, match="sns speaks query, not json"):
        lean_services(["sns"])
