"""Templates as they lie in S3, and as plain data."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from botocore.response import StreamingBody

from selfright.adapters.template_text import S3Templates, parsed
from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.release import StackTemplate
from selfright.stack_ports import TemplateText
from tests.unit.adapters.conftest import Stubbed


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: !GetAtt b.Arn", {"a": {"Fn::GetAtt": "b.Arn"}}),
        ("a: !If [x, !Ref y, 1]", {"a": {"Fn::If": ["x", {"Ref": "y"}, 1]}}),
        ("a: !Transform {Name: z}", {"a": {"Fn::Transform": {"Name": "z"}}}),
        ("a: [", None),
        ("only words", None),
    ],
)
def test_short_functions_are_read_as_long_ones(text: str, data: Any):
    assert parsed(text) == data


def body(text: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(text), len(text))


def asked_for(text: bytes, version: str | None = None) -> StackTemplate:
    sha256 = hashlib.sha256(text).hexdigest()
    return StackTemplate(bucket="shop-artifacts", key="42.yaml", sha256=sha256, object_version=version)


def test_a_template_is_what_was_asked_for(stubbed: Stubbed):
    templates = S3Templates(stubbed.aws, "evidence")
    where = {"Bucket": "shop-artifacts", "Key": "42.yaml"}
    stubbed.answer("s3", "get_object", {"Body": body(b"Resources: {}")}, **where)
    assert templates.fetch(asked_for(b"Resources: {}")) == TemplateText("Resources: {}")

    versioned = {"Body": body(b"Resources: {}"), "VersionId": "v1"}
    stubbed.answer("s3", "get_object", versioned, **where, VersionId="v1")
    found = templates.fetch(asked_for(b"Resources: {}", "v1"))
    assert str(found.url).endswith(".amazonaws.com/shop-artifacts/42.yaml?versionId=v1")

    stubbed.answer("s3", "get_object", {"Body": body(b"Resources: {Evil: {}}")}, **where)
    with pytest.raises(RefusedError, match="sha256 differs"):
        templates.fetch(asked_for(b"Resources: {}"))

    stubbed.answer("s3", "get_object", {"Body": body(b"\xff\xfe")}, **where)
    with pytest.raises(RefusedError, match="is no template"):
        templates.fetch(asked_for(b"\xff\xfe"))


def test_the_template_from_before_is_kept_by_release(stubbed: Stubbed):
    templates = S3Templates(stubbed.aws, "evidence")
    where = {"Bucket": "evidence", "Key": "releases/shop-42/template"}
    stubbed.answer("s3", "put_object", {}, **where, Body=b"Resources: {}")
    stubbed.answer("s3", "get_object", {"Body": body(b"Resources: {}")}, **where)

    templates.keep("shop-42", "Resources: {}")
    assert templates.kept("shop-42").text == "Resources: {}"

    stubbed.refuse("s3", "get_object", "NoSuchKey")
    with pytest.raises(NotFoundError):
        templates.kept("shop-42")
