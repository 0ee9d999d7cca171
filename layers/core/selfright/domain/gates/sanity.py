"""Numbers that cannot be true. A remedy that is worked out from one of them is refused, not clipped.

AWS's own figures were absurd before: a billing bug of July 2026 showed an estimate of $183,965,812,157.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LARGEST = 1e13  # a moment in milliseconds since 1970 is below it; units, bytes and requests are far below
LARGEST_COST = 1e6  # US dollars
COST_WORDS = ("cost", "usd", "price", "charge", "dollar")
DIFFERENCE_WORDS = ("change", "delta", "difference", "trend")


def absurdity(figures: Any, name: str = "") -> str | None:
    """The first number that cannot be true, as "<name> is <number>"; None where all can."""
    if isinstance(figures, Mapping):
        parts = ((f"{name}.{key}" if name else str(key), value) for key, value in figures.items())
    elif isinstance(figures, list | tuple):
        parts = ((f"{name}.{n}", value) for n, value in enumerate(figures))
    else:
        return _impossible(figures, name)
    return next((found for key, value in parts if (found := absurdity(value, key))), None)


def _impossible(value: Any, name: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    most = LARGEST_COST if any(word in name.lower() for word in COST_WORDS) else LARGEST
    # What is worked with is a count, a size, a duration or a price: only a difference of two may be negative.
    least = -most if any(word in name.lower() for word in DIFFERENCE_WORDS) else 0
    return None if math.isfinite(value) and least <= value <= most else f"{name} is {value:g}"
