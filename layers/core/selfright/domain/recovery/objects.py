"""Which version of each object was there at a moment, and what became of it since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import BaseModel

from selfright.domain.recovery.record import Finding
from selfright.domain.recovery.request import FROZEN, Loss


class ObjectVersion(BaseModel):
    """One version of an object, or a marker that it was deleted. `etag` without its quotes."""

    model_config = FROZEN

    key: str
    version: str
    at: datetime
    latest: bool = False
    marker: bool = False
    size: int = 0
    etag: str = ""

    def same_content(self, other: ObjectVersion) -> bool:
        """By size and ETag. A copy of an object that was uploaded in parts has another ETag: then by size alone."""
        in_parts = "-" in self.etag or "-" in other.etag
        alike = self.size == other.size and (in_parts or self.etag == other.etag)
        return not self.marker and not other.marker and alike


def by_key(versions: Iterable[ObjectVersion]) -> dict[str, list[ObjectVersion]]:
    """Newest first, as S3 lists them."""
    found: dict[str, list[ObjectVersion]] = defaultdict(list)
    for version in versions:
        found[version.key].append(version)
    return found


def lost_since(versions: Iterable[ObjectVersion], at: datetime) -> Iterator[Finding]:
    """Objects that were there at that moment and are not, or not so, any more. Those added since are none."""
    for key, history in sorted(by_key(versions).items()):
        now = history[0]
        then = next((version for version in history if version.at <= at), None)
        if then is None or then.marker or then.version == now.version or then.same_content(now):
            continue
        loss = Loss.DELETED if now.marker else Loss.CHANGED
        yield Finding(name=key, loss=loss, seen=now.version, wanted=then.version)
