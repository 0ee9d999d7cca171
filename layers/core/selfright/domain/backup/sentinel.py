"""An item that is written every minute: its age in a restored copy says what was lost, whatever AWS says.

Its key attributes all hold KEY, so a table needs key attributes of type S; a role may write this one item and no
other (template.yaml, dynamodb:LeadingKeys).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from selfright.domain.backup.verdict import Item
from selfright.domain.errors import BadInputError

KEY = "selfright#sentinel"
WRITTEN_AT = "selfright_written_at"  # seconds since 1970


def sentinel(keys: Sequence[str], now: datetime) -> dict[str, dict[str, str]]:
    """The item as it is written now. `keys` as in TableSettings. Raises BadInputError for a key that is no text."""
    names = []
    for spelled in keys:
        name, kind, _ = spelled.split(" ")
        if kind != "S":
            raise BadInputError("sentinel", f"needs key attributes of type S ({name} is of type {kind})")
        names.append(name)
    return {**{name: {"S": KEY} for name in names}, WRITTEN_AT: {"N": str(int(now.timestamp()))}}


def written_at(item: Item, key: Sequence[str]) -> datetime | None:
    """When a sentinel was written; None for any other item."""
    if any(item.get(name) != {"S": KEY} for name in key) or "N" not in item.get(WRITTEN_AT, {}):
        return None
    return datetime.fromtimestamp(int(item[WRITTEN_AT]["N"]), UTC)
