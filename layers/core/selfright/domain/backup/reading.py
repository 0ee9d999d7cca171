"""Where the rooms of one comparison leave what they found. The bucket's lifecycle deletes it with the exports."""

from __future__ import annotations

PREFIX = "exports/readings"


def list_key(test: str, reading: int) -> str:
    """The parts to be read, a JSON array."""
    return f"{PREFIX}/{test}/{reading}/parts.json"


def progress_key(test: str, reading: int) -> str:
    """What is looked for in them."""
    return f"{PREFIX}/{test}/{reading}/progress.json"


def result_key(test: str, reading: int, side: str, part: str) -> str:
    """What one part came to: a part that is read again writes the same object."""
    return f"{PREFIX}/{test}/{reading}/{side}/{part}.json"
