"""What an item is now, in few letters: only what was seen may be overwritten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def fingerprint(item: Mapping[str, Any] | None) -> str:
    """What an item is now; empty where there is none. DynamoDB answers sets in no order."""
    if item is None:
        return ""
    return hashlib.sha256(json.dumps(_ordered(item), sort_keys=True).encode()).hexdigest()[:32]


def _ordered(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            name: sorted(map(str, each))
            if name in {"SS", "NS", "BS"} and isinstance(each, list)
            else _ordered(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    return str(value) if isinstance(value, bytes) else value
