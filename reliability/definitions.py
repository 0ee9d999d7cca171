"""Which functions a state machine calls, read from its definition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.server import ROOT


def rooms_of(machine: str) -> tuple[str, ...]:
    """Logical names, in the order of the states."""
    text = (ROOT / "statemachines" / f"{machine}.asl.json").read_text("utf-8")
    named = (argument.removeprefix("${").removesuffix("Arn}") for argument in _functions(json.loads(text)))
    return tuple(dict.fromkeys(named))


def _functions(part: Any) -> Iterator[str]:
    """Every FunctionName, wherever it stands."""
    if isinstance(part, dict):
        if isinstance(name := part.get("FunctionName"), str):
            yield name
        for value in part.values():
            yield from _functions(value)
    elif isinstance(part, list):
        for value in part:
            yield from _functions(value)
