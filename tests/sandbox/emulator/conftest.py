"""A second emulator for behaviours that take AWS minutes: a minute lasts half a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import Server, start

# Writes a second that one partition key takes here; AWS's 1,000 would need more traffic than a test makes.
PARTITION_WCU = 20


@pytest.fixture(scope="session")
def fast_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    extra = {"SELFRIGHT_SANDBOX_PARTITION_WCU": str(PARTITION_WCU)}
    server = start(Path(tmp_path_factory.mktemp("fast-emulator")) / "state", scale=120.0, extra=extra)
    yield server
    server.stop()
