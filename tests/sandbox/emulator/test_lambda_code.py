"""GetFunction leads to the package of the version that was asked for, as a backup of what is live needs it."""

from __future__ import annotations

import base64
import hashlib
import urllib.request

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import create, publish

CODE = "def handler(event, context): return 'one'\n"


@pytest.mark.parametrize("qualifier", ["1", "2", "live", "$LATEST"])
def test_the_package_of_a_version_has_the_hash_that_lambda_tells(aws: Server, qualifier: str):
    # Given a function whose alias stays with the first of two versions
    name = create(aws, CODE)
    publish(aws, name, CODE)
    publish(aws, name, CODE.replace("one", "two"))
    client = aws.client("lambda")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    found = client.get_function(FunctionName=name, Qualifier=qualifier)
    with urllib.request.urlopen(found["Code"]["Location"], timeout=10) as answer:  # noqa: S310 - our own emulator
        digest = hashlib.sha256(answer.read()).digest()

    assert base64.b64encode(digest).decode() == found["Configuration"]["CodeSha256"]
