"""CloudWatch keeps datapoints for 15 days and answers for a window of time without reading the rest.

MiniStack keeps them in arrival order and re-filters every metric on every request, which loses datapoints that
another thread records meanwhile. Here each metric's datapoints stay sorted by time under a lock.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

RETENTION = 15 * 24 * 3600
HOUR = 3600


def _timestamp(point: Mapping[str, Any]) -> float:
    return float(point["Timestamp"])


class Points(list[dict[str, Any]]):
    """The datapoints of one metric, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def append(self, point: dict[str, Any]) -> None:
        with self._lock:
            if self and point["Timestamp"] < self[-1]["Timestamp"]:
                insort(self, point, key=_timestamp)
            else:
                super().append(point)

    def window(self, start: float, end: float) -> list[dict[str, Any]]:
        """Datapoints with start <= timestamp < end."""
        with self._lock:
            first = bisect_left(self, start, key=_timestamp)
            return self[first : bisect_left(self, end, first, key=_timestamp)]

    def forget_before(self, moment: float) -> None:
        with self._lock:
            del self[: bisect_left(self, moment, key=_timestamp)]


def window(
    namespace: str, name: str, dimensions: Mapping[str, str], start: float, end: float
) -> list[dict[str, Any]]:
    """Datapoints of exactly this metric (same dimensions, not a subset) with start <= timestamp < end."""
    key = (namespace, name, original(cloudwatch, "_dims_key")(dict(dimensions)))
    points = cloudwatch._metrics.get(key)
    return points.window(start, end) if points is not None else []


def install(clock: SandboxClock) -> None:
    due = clock.time() + HOUR

    def bucket(
        _before: Callable[[tuple[str, str, str]], list[Any]],
    ) -> Callable[[tuple[str, str, str]], Points]:
        def find(key: tuple[str, str, str]) -> Points:
            points: Points | None = cloudwatch._metrics.get(key)
            return points if points is not None else cloudwatch._metrics.setdefault(key, Points())

        return find

    def evict(_before: Callable[[], None]) -> Callable[[], None]:
        def forget() -> None:
            nonlocal due
            now = clock.time()
            if now < due:
                return
            due = now + HOUR
            for key, points in cloudwatch._metrics.items():
                points.forget_before(now - RETENTION)
                if not points:
                    cloudwatch._metrics.pop(key, None)

        return forget

    original(cloudwatch, "_metrics")
    replace(cloudwatch, "_metric_bucket", bucket)
    replace(cloudwatch, "_evict_old_metrics", evict)
