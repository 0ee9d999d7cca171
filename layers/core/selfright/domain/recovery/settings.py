"""A workload's settings as a snapshot keeps them (docs/backup.md, configuration.json), one by one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from selfright.domain.errors import BadInputError
from selfright.domain.recovery.record import Finding
from selfright.domain.recovery.request import FROZEN, Loss

PARAMETER, FLAGS, ALARM = "parameter", "flags", "alarm"
# AppConfig answers these in another shape than they are stored in: they cannot be compared, so people put them back.
FEATURE_FLAGS = "AWS.AppConfig.FeatureFlags"


class Setting(BaseModel):
    """One parameter, AppConfig document or alarm; `value` is its text, or JSON with sorted keys."""

    model_config = FROZEN

    kind: str
    name: str
    value: str
    type: str = "String"  # of a parameter; of flags, their content type

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def settings_in(snapshot: Mapping[str, Any]) -> Iterator[Setting]:
    """Every setting of a configuration.json that can be put back. Secrets are not in it."""
    for name, kept in snapshot.get("parameters", {}).items():
        if "value" in kept:
            yield Setting(kind=PARAMETER, name=name, value=kept["value"], type=kept["type"])
    for application, kept in snapshot.get("flags", {}).items():
        for environment, there in kept["environments"].items():
            for profile, version in there["deployed"].items():
                content = kept["profiles"][profile].get("versions", {}).get(version)
                if content and kept["profiles"][profile]["type"] != FEATURE_FLAGS:
                    name = f"{application}:{environment}:{profile}"
                    yield Setting(
                        kind=FLAGS, name=name, value=content["content"], type=content["content_type"]
                    )
    for name, kept in snapshot.get("alarms", {}).items():
        yield Setting(kind=ALARM, name=name, value=spelled(kept))


def left_in(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """What a snapshot names and nobody can put back from it by machine."""
    for name, kept in snapshot.get("parameters", {}).items():
        if "value" not in kept:
            yield f"{PARAMETER} {name} (a secret)"
    for application, kept in snapshot.get("flags", {}).items():
        for profile, one in kept["profiles"].items():
            if one["type"] == FEATURE_FLAGS or "versions" not in one:
                yield f"{FLAGS} {application}:{profile}"
    for kind in ("composite_alarms", "dashboards"):
        for name in snapshot.get(kind, {}):
            yield f"{kind.rstrip('s').replace('_', ' ')} {name}"


def spelled(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def changed_since(kept: Iterable[Setting], now: Callable[[Setting], str | None]) -> Iterator[Finding]:
    for setting in kept:
        value = now(setting)
        if value != setting.value:
            loss = Loss.DELETED if value is None else Loss.CHANGED
            yield Finding(name=str(setting), loss=loss, seen=seen(value))


def seen(value: str | None) -> str:
    """What a setting is now, without its contents; empty where there is none."""
    return "" if value is None else hashlib.sha256(value.encode()).hexdigest()[:32]


def field_set(document: str, field: str | None, value: str) -> str:
    """A parameter's text with `value` as it, or as one field of the JSON object that it is.

    Raises BadInputError, ValueError where it is no JSON.
    """
    if field is None:
        return value
    parsed = json.loads(document)
    if not isinstance(parsed, dict):
        raise BadInputError("repoint.field", "must be left out: the parameter is no JSON object")
    return json.dumps({**parsed, field: value})
