"""How a request for a release comes in: as an event, as a document in S3, by a call; and who sent it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from selfright.domain.errors import BadInputError, SourceDownError
from selfright.edge.deployment_request import LARGEST, deployment_request
from tests.fakes import Down
from tests.unit.template import ROOT
from tests.unit.usecases.release_world import REQUEST, ReleaseWorld
from tests.unit.usecases.respond import handler

UPLOADED: dict[str, Any] = json.loads((ROOT / "events/deploy/uploaded.json").read_text())


class Folder:
    """S3, with one object."""

    def __init__(self, content: bytes) -> None:
        self.content, self.asked = content, list[tuple[str, str, str | None]]()

    def read(self, bucket: str, key: str, version: str | None, largest: int) -> bytes:
        self.asked.append((bucket, key, version))
        assert largest == LARGEST
        return self.content


def uploaded(**changes: Any) -> dict[str, Any]:
    found = {"key": "releases/shop-42.json", "size": 612, "version-id": "v1", **changes}
    return {**UPLOADED, "detail": {**UPLOADED["detail"], "object": found}}


def test_an_uploaded_request_is_taken_and_its_sender_stays_on_record():
    world, folder = ReleaseWorld(), Folder(json.dumps(REQUEST).encode())
    world.uploads = folder  # type: ignore[attr-defined]

    answer = handler("request_release", world)(uploaded(), SimpleNamespace(aws_request_id="1"))

    assert answer == {"release_id": "shop-42", "status": "requested"}
    assert world.deployments.started == ["shop-42"]
    # ... the very version that the event tells of
    assert folder.asked == [("opportunity-analysis-artifacts", "releases/shop-42.json", "v1")]
    line = world.ledger.file("shop-42").log[0]
    assert line.detail["sender"] == {
        "by": "upload",
        "requester": "210987654321",
        "account": "123456789012",
        "address": "203.0.113.7",
        "object": "s3://opportunity-analysis-artifacts/releases/shop-42.json v1",
    }
    assert "put by 210987654321" in line.text
    assert line.detail["requested_by"] == "ada"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"%PDF-1.7", "request"),
        (b"\xff\xfe", "request"),
        (b"[" * 100_000, "request"),
        (b"[]", "input"),
        (b'{"release_id": "Shop 42"}', "release_id"),
        (json.dumps({**REQUEST, "surprise": 1}).encode(), "surprise"),
    ],
)
def test_a_document_that_is_no_request_is_refused_by_field_and_nothing_starts(content: bytes, field: str):
    world = ReleaseWorld()
    world.uploads = Folder(content)  # type: ignore[attr-defined]

    with pytest.raises(BadInputError) as refused:
        handler("request_release", world)(uploaded(), SimpleNamespace(aws_request_id="1"))

    assert refused.value.field == field
    assert world.deployments.started == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"size": LARGEST + 1}, "detail.object.size"),
        ({"key": "builds/shop-42.json"}, "detail.object.key"),
        ({"key": "releases/shop-42.zip"}, "detail.object.key"),
    ],
)
def test_what_cannot_be_a_request_is_not_even_read(changes: dict[str, Any], field: str):
    folder = Folder(b"{}")

    with pytest.raises(BadInputError) as refused:
        deployment_request(uploaded(**changes), folder)

    assert (refused.value.field, folder.asked) == (field, [])


def test_a_bucket_that_does_not_answer_fails_the_call_so_that_it_is_repeated():
    with pytest.raises(SourceDownError):
        deployment_request(uploaded(), Down())


@pytest.mark.parametrize(
    "event", [{"detail-type": "Object Deleted"}, {"detail-type": "DeploymentRequested"}, []]
)
def test_other_events_are_refused(event: Any):
    with pytest.raises(BadInputError):
        deployment_request(event, Down())


def test_an_event_tells_its_account_and_a_call_tells_nothing():
    requested = {
        "detail-type": "DeploymentRequested",
        "account": "123456789012",
        "id": "e-1",
        "detail": REQUEST,
    }

    assert deployment_request(requested, Down()).sender == {
        "by": "event",
        "account": "123456789012",
        "event": "e-1",
    }
    assert deployment_request(REQUEST, Down()).sender == {"by": "call"}
