"""The time. In the sandbox it runs faster than the wall clock, at a scale that only the sandbox sets."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """UTC now. SELFRIGHT_CLOCK is "<origin>*<scale>": seconds since `origin` (epoch) pass `scale` times faster."""

    def __init__(self, setting: str | None = None) -> None:
        origin, _, scale = (setting or os.environ.get("SELFRIGHT_CLOCK") or "0*1").partition("*")
        self._origin, self._scale = float(origin), float(scale)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._origin + (time.time() - self._origin) * self._scale, UTC)
