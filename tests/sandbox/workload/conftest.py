"""The sample workload, deployed once for the tests of this folder."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sandbox import workload
from sandbox.deployment import deploy
from sandbox.server import Server

ENVIRONMENT = "development"


@pytest.fixture(scope="session")
def stack(aws: Server) -> dict[str, str]:
    name = workload.stack_name(ENVIRONMENT)
    return deploy(aws, workload.TEMPLATE, name, workload.stack_parameters(ENVIRONMENT, aws.scale))


def eventually(what: str, holds: Callable[[], bool], within: float = 20.0) -> None:
    """Look until `holds`, for at most `within` seconds of the wall."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.1)
