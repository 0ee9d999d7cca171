"""The application's settings: one JSON document in Parameter Store, changed without a release; its flags and tuning."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

from .clients import client
from .errors import ConfigurationError
from .flags import Flags
from .flags import current as current_flags
from .tuning import current as current_tuning

_NATURAL = {  # whole numbers: lowest and highest value that make sense
    "cache_ttl_seconds": (0, 86_400),
    "max_output_tokens": (1, 4_096),
    "model_attempts": (1, 10),
}


@dataclass(frozen=True)
class Settings:
    """`use_fallback_model` (a flag) and `caching` are the two switches that operators have in an incident."""

    query_model: str
    analysis_model: str
    fallback_model: str
    use_fallback_model: bool
    model_attempts: int
    max_output_tokens: int
    caching: bool
    cache_ttl_seconds: int
    results_table: str = ""  # the deployed one

    @classmethod
    def parse(cls, text: str, flags: Flags, tuning: dict[str, Any]) -> Settings:
        """Read the parameter's value; what is tuned takes its place. Raises ConfigurationError naming the setting."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"settings: not JSON: {error}") from error
        if not isinstance(document, dict):
            raise ConfigurationError("settings: must be an object")
        document |= {**tuning, **asdict(flags)}
        return cls(**{field.name: _valid(field.name, document) for field in fields(cls)})

    def model(self, wanted: str) -> str:
        """The model to ask instead of `wanted` while the fallback is switched on."""
        return self.fallback_model if self.use_fallback_model else wanted


def _valid(name: str, document: dict[str, Any]) -> Any:
    value = document.get(name, "" if name == "results_table" else None)
    if name == "results_table":
        if not isinstance(value, str):
            raise ConfigurationError(f"settings.{name}: must be a table's name, is {value!r}")
    elif name in _NATURAL:
        low, high = _NATURAL[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ConfigurationError(
                f"settings.{name}: must be a whole number from {low} to {high}, is {value!r}"
            )
    elif name in {"use_fallback_model", "caching"}:
        if not isinstance(value, bool):
            raise ConfigurationError(f"settings.{name}: must be true or false, is {value!r}")
    elif not isinstance(value, str) or not value:
        raise ConfigurationError(f"settings.{name}: must be a model id, is {value!r}")
    return value


_kept: tuple[float, Settings] | None = None  # when it was read (monotonic), what it said


def current() -> Settings:
    """The settings, read again every SETTINGS_TTL_SECONDS. Raises ConfigurationError."""
    global _kept  # noqa: PLW0603 - one execution environment serves many requests; this is its cache
    now = time.monotonic()
    if _kept is None or now - _kept[0] >= float(os.environ["SETTINGS_TTL_SECONDS"]):
        answer = client("ssm").get_parameter(Name=os.environ["SETTINGS_PARAMETER"])
        _kept = (now, Settings.parse(answer["Parameter"]["Value"], current_flags(), current_tuning()))
    return _kept[1]
