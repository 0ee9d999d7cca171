"""One sandbox with all scenes for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reliability.__main__ import Stage, stage


@pytest.fixture(scope="session")
def staged() -> Iterator[Stage]:
    with stage() as found:
        yield found
