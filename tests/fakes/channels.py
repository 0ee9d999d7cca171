"""Ways to reach people that keep what they were given, and fail as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable

from selfright.domain.manifest import Workload
from selfright.domain.notice import Notice
from selfright.ports import Channel

Behaviour = Callable[[Notice], None]


class FakeChannels:
    """`sent` is what arrived, by channel; `before` and `after` it did, a hook may raise."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Notice]] = []
        self.before: dict[str, Behaviour] = {}
        self.after: dict[str, Behaviour] = {}
        self._lock = threading.Lock()

    def open(self, workload: Workload, key: str) -> Channel:
        assert key in workload.notifications.ways
        return _FakeChannel(self, key)

    def to(self, key: str) -> list[Notice]:
        """What one channel got."""
        return [notice for channel, notice in self.sent if channel == key]

    def deliver(self, key: str, notice: Notice) -> None:
        self.before.get(key, _fine)(notice)
        with self._lock:
            self.sent.append((key, notice))
        self.after.get(key, _fine)(notice)


class _FakeChannel:
    def __init__(self, channels: FakeChannels, key: str) -> None:
        self._channels, self._key = channels, key

    def send(self, notice: Notice) -> None:
        self._channels.deliver(self._key, notice)


def _fine(notice: Notice) -> None:
    del notice
