"""An EventBridge event that tells of a change of configuration: SSM, AppConfig, Lambda, CloudWatch."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from selfright.domain.backup.change import Change
from selfright.edge.event_parts import Part


class ChangeEvent(Part):
    """`detail` is of many shapes; only the names in it matter."""

    source: str = Field(min_length=1)
    detail: dict[str, Any]

    @property
    def change(self) -> Change:
        return Change(source=self.source, told=json.dumps(self.detail, ensure_ascii=False))
