"""AWS's errors become ours by their code; clients are made once, in whatever thread asks first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError
from botocore.session import Session

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    RefusedError,
    SourceDownError,
    ThrottledError,
)

CODES: list[tuple[str, type[Exception]]] = [
    ("ThrottlingException", ThrottledError),
    ("Throttling", ThrottledError),
    ("TooManyRequestsException", ThrottledError),
    ("ProvisionedThroughputExceededException", ThrottledError),
    ("RequestLimitExceeded", ThrottledError),
    ("TransactionInProgressException", ThrottledError),
    ("TransactionConflictException", ThrottledError),
    ("ResourceNotFoundException", NotFoundError),
    ("ResourceNotFound", NotFoundError),
    ("NoSuchKey", NotFoundError),
    ("ConditionalCheckFailedException", ConflictError),
    ("ExecutionAlreadyExists", ConflictError),
    ("ResourceInUseException", BusyError),
    ("ConcurrentUpdateException", BusyError),
    ("InternalServerError", SourceDownError),
    ("AccessDeniedException", SourceDownError),
    ("SomethingNewException", SourceDownError),
]
REFUSALS = ["LimitExceededException", "ValidationException", "AccessDeniedException"]


def refuse(code: str) -> None:
    raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeTable")


@pytest.mark.parametrize(("code", "ours"), CODES)
def test_a_code_becomes_our_error_and_keeps_its_story(code: str, ours: type[Exception]):
    with pytest.raises(ours) as caught, translated("describing table orders"):
        refuse(code)

    assert type(caught.value) is ours
    assert str(caught.value).startswith(f"describing table orders: An error occurred ({code})")
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize("code", REFUSALS)
def test_where_a_change_is_asked_for_a_refusal_is_an_answer(code: str):
    with pytest.raises(RefusedError, match=code), translated("changing table orders", changing=True):
        refuse(code)


@pytest.mark.parametrize(("code", "ours"), [pair for pair in CODES if pair[0] not in REFUSALS])
def test_other_codes_mean_the_same_for_a_change(code: str, ours: type[Exception]):
    with pytest.raises(ours) as caught, translated("changing table orders", changing=True):
        refuse(code)

    assert type(caught.value) is ours


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://dynamodb.example.com"),
        ConnectTimeoutError(endpoint_url="https://dynamodb.example.com"),
    ],
)
def test_an_aws_that_cannot_be_reached_is_a_source_that_is_down(error: Exception):
    with pytest.raises(SourceDownError, match="reading"), translated("reading"):
        raise error


def test_errors_of_our_own_pass_unchanged():
    with pytest.raises(ConflictError, match=r"^ours$"), translated("writing"):
        raise ConflictError("ours")


def test_a_client_is_made_once_though_many_threads_ask_at_the_same_time(monkeypatch: pytest.MonkeyPatch):
    """A botocore Session may not make clients in two threads at once: it loses parts of itself."""
    making: list[str] = []
    make = Session.create_client

    def watched(self: Session, service: str, **more: object) -> object:
        making.append(service)
        assert len(making) == 1, "two threads make clients"
        client = make(self, service, **more)  # type: ignore[call-overload]
        making.remove(service)
        return client

    monkeypatch.setattr(Session, "create_client", watched)
    home = Aws()
    with ThreadPoolExecutor(max_workers=4) as pool:
        clients = set(pool.map(lambda n: home.client(("sqs", "sns")[n % 2]), range(16)))

    assert len(clients) == 2


def test_calls_are_counted_by_operation(aws: Aws):
    aws.client("dynamodb").list_tables()
    before = aws.calls["dynamodb:ListTables"]

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda _: aws.client("dynamodb").list_tables(), range(16)))

    assert aws.calls["dynamodb:ListTables"] - before == 16
