"""The application's feature flags: one AppConfig document, thrown by people or by whoever looks after us."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

from botocore.exceptions import BotoCoreError, ClientError

from .deployed import latest
from .telemetry import log


@dataclass(frozen=True)
class Flags:
    """`use_fallback_model` opens the circuit to the two usual models: `fallback_model` is asked in their place."""

    use_fallback_model: bool = False

    @classmethod
    def parse(cls, text: bytes) -> Flags:
        """Read the deployed document; flags that it does not name are off. Raises ValueError."""
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("must be an object")  # noqa: TRY004 - a wrong document, whatever is wrong with it
        given = {field.name: document.get(field.name, False) for field in fields(cls)}
        for name, value in given.items():
            if not isinstance(value, bool):
                raise ValueError(f"{name}: must be true or false, is {value!r}")  # noqa: TRY004 - see above
        return cls(**given)


_last = Flags()


def current() -> Flags:
    """The flags as deployed; those of before where they cannot be read: a flag is no reason to fail a user."""
    global _last  # noqa: PLW0603 - one execution environment serves many requests
    try:
        _last = Flags.parse(latest("flags"))
    except (BotoCoreError, ClientError, ValueError) as error:
        log("WARNING", f"flags: {error}; {_last} stays")
    return _last
