"""Parameters, flags and alarms as a snapshot spells them, read and put back."""

from __future__ import annotations

import json
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.flags import AppConfigFlagBoard
from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.recovery.settings import ALARM, FLAGS, PARAMETER, Setting, spelled
from selfright.domain.serving import FlagPlace


class AwsSettingsBoard:
    """`strategy`: of AppConfig deployments, as for AppConfigFlagBoard."""

    def __init__(self, aws: Aws, strategy: str) -> None:
        self._aws = aws
        self._flags = AppConfigFlagBoard(aws, strategy)

    def read(self, setting: Setting) -> str | None:
        if setting.kind == ALARM:
            return self._alarm(setting)
        if setting.kind == FLAGS:
            return self._flags.text(_place(setting)) or None
        try:
            with translated(f"reading {setting}"):
                found = self._aws.client("ssm").get_parameter(Name=setting.name)["Parameter"]
        except NotFoundError:
            return None
        if found["Type"] == "SecureString":
            raise RefusedError(f"{setting} is a secret now: people put it back")
        return str(found["Value"])

    def write(self, setting: Setting) -> None:
        with translated(f"putting {setting} back", changing=True):
            if setting.kind == PARAMETER:
                self._aws.client("ssm").put_parameter(
                    Name=setting.name, Value=setting.value, Type=setting.type, Overwrite=True
                )
            elif setting.kind == FLAGS:
                self._flags.deploy(_place(setting), setting.value, setting.type)
            elif setting.kind == ALARM:
                self._aws.client("cloudwatch").put_metric_alarm(**json.loads(setting.value))
            else:
                raise RefusedError(f"nobody knows how to put {setting} back")

    def _alarm(self, setting: Setting) -> str | None:
        """What the snapshot says of it; what AWS adds to an alarm does not count."""
        with translated(f"reading {setting}"):
            found: list[dict[str, Any]] = self._aws.client("cloudwatch").describe_alarms(
                AlarmNames=[setting.name]
            )["MetricAlarms"]
        if not found:
            return None
        kept = json.loads(setting.value)
        return spelled(
            {name: found[0].get(name) for name in kept} | {k: kept[k] for k in ("Tags",) if k in kept}
        )


def _place(setting: Setting) -> FlagPlace:
    return FlagPlace.parse(f"{setting.name}:")
