"""What is due is sent, and what is due while all are busy is missed."""

from __future__ import annotations

import threading

import pytest

from sandbox import senders
from sandbox.senders import Senders


def test_threads_end_with_what_they_do():
    sent: list[str] = []
    first = threading.Event()

    def send(what: str) -> None:
        sent.append(what)
        first.set()

    with Senders(2, lambda: "hello", send) as crew:
        crew.pace(1000)
        assert first.wait(5)

    assert set(sent) == {"hello"}
    assert not any(thread.name.startswith("sender-") for thread in threading.enumerate())


@pytest.mark.parametrize(("late", "missed"), [(0.0, 0), (0.09, 0), (0.11, 1), (0.35, 3)])
def test_what_is_due_while_all_are_busy_is_missed_and_not_caught_up_on(
    monkeypatch: pytest.MonkeyPatch, late: float, missed: int
):
    crew = Senders(1, lambda: "due", lambda _: None)
    monkeypatch.setattr(senders.time, "monotonic", lambda: 100.0)
    crew.pace(10)  # one every 0.1 s
    monkeypatch.setattr(senders.time, "monotonic", lambda: 100.0 + late)

    assert crew._next() == "due"

    assert crew.missed == missed
    assert crew._due == pytest.approx(100.1 + missed * 0.1)
