"""Replace a private name of a pinned package, or fail at start saying which one moved."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any


class PinnedNameMovedError(RuntimeError):
    """A wrapped name is gone: the pinned package changed under us."""


def original(owner: Any, name: str) -> Any:
    """The value behind `owner.name`.

    Raises PinnedNameMovedError where it is gone.
    """
    try:
        return getattr(owner, name)
    except AttributeError:
        where = getattr(owner, "__name__", repr(owner))
        package = (getattr(owner, "__module__", None) or where).split(".")[0]  # a class names its module
        raise PinnedNameMovedError(
            f"{where}.{name} is gone in {package} {version(package)}; "
            f"locks/emulator.in pins the version this behaviour was written for"
        ) from None


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> Any:
    """Set `owner.name` to `make(original)` and return the original."""
    before = original(owner, name)
    setattr(owner, name, make(before))
    return before


def replace_text(owner: Any, name: str, old: str, new: str) -> None:
    """Replace `old` by `new` inside the string `owner.name`; `old` must stand there exactly once."""
    text = original(owner, name)
    if text.count(old) != 1:
        where = getattr(owner, "__name__", repr(owner))
        raise PinnedNameMovedError(
            f"{where}.{name} holds the wrapped text {text.count(old)} times, expected once"
        )
    setattr(owner, name, text.replace(old, new))
