"""`kill` ends a command as Ctrl-C does: what it has brought up is taken down."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from cli import main


@pytest.fixture(autouse=True)
def _handler_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_terminated_command_cleans_up_undisturbed(monkeypatch: pytest.MonkeyPatch):
    done = []

    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("went on")
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # impatient: again, while it cleans up
            done.append("cleaned up")

    monkeypatch.setattr(main, "app", command)

    with pytest.raises(SystemExit) as ended:
        main.main()

    assert ended.value.code == 128 + signal.SIGTERM
    assert done == ["cleaned up"]
