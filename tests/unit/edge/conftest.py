"""What a room writes: log lines and metrics, as CloudWatch would read them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from selfright.edge.room import logger

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[Lines]:
    """Call it for the log lines written so far."""
    written = io.StringIO()
    handler = logger.registered_handler
    before = handler.setStream(written)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    handler.setStream(before)  # type: ignore[attr-defined]


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Call it for the embedded metrics written since the last call."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
