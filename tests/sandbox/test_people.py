"""A sandbox that stays has people, too: whoever looks after it can see what they were told."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle, people
from sandbox.server import ROOT, Server
from selfright.adapters.manifest_files import load_workload

MANIFEST = load_workload(ROOT / "workloads" / "opportunity-analysis", "development")
SLACK = "opportunity-analysis/development/slack"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server, _ = lifecycle.up(tmp_path / ".selfright", stacks=(), people_of=MANIFEST)
    yield server
    lifecycle.down(tmp_path / ".selfright")


def post(url: str, body: dict[str, object]) -> int:
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310 - this machine
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_channels_of_the_workload_lead_to_it_and_it_tells_what_came(server: Server):
    kept = server.client("secretsmanager").get_secret_value(SecretId=SLACK)["SecretString"]
    assert people.told(server) == []

    taken, refused = post(json.loads(kept)["url"], {"text": "hello"}), post(json.loads(kept)["url"], {})

    assert (taken, refused) == (200, 400)
    assert people.told(server) == [{"service": "slack", "body": {"text": "hello"}}]
