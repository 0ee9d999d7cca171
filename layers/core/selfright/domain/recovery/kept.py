"""A recovery point in the backup bucket, as docs/backup.md lays them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

IGNORING = ConfigDict(defer_build=True, frozen=True, extra="ignore")  # a point says more than is needed here


class Place(BaseModel):
    model_config = IGNORING

    bucket: str
    key: str
    version: str | None = None


class KeptPoint(BaseModel):
    """`sha256` is hexadecimal, of the object. `tier` deep: nobody can read it for twelve hours."""

    model_config = IGNORING

    kind: str
    source: str
    taken_at: datetime
    place: Place
    sha256: str
    tier: str
    details: Mapping[str, Any] = {}
