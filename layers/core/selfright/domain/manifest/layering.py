"""Base and overlay become one document, and an error finds its way back to the file that caused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `overlay` over `base`: mappings merge by key, anything else replaces. Neither argument is changed.

    An explicit null stays in the result, which keeps merging associative; `without_nulls` then removes it.
    """
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def without_nulls(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without the keys that are null, at any depth of its mappings."""
    return {
        key: without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in document.items()
        if value is not None
    }


def has(document: Any, part: str | int) -> bool:
    """Is there an entry of that key or position?"""
    if isinstance(document, Mapping):
        return part in document
    return isinstance(document, list) and isinstance(part, int) and part < len(document)


def is_written(document: Any, path: Path) -> bool:
    """Does the document have a value, or an explicit null, at `path`?"""
    for part in path:
        if not has(document, part):
            return False
        document = document[part]
    return True


def comes_from_overlay(base: Any, overlay: Any, path: Path) -> bool:
    """Did the overlay set or remove what stands at `path`? A missing value belongs to its nearest parent."""
    for part in path:
        if not isinstance(overlay, Mapping):
            return True  # the overlay replaced the whole value that the path leads into
        if part not in overlay:
            return not isinstance(base, Mapping)
        overlay = overlay[part]
        base = base.get(part) if isinstance(base, Mapping) else None
    return True
