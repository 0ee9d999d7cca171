"""Every page of a DynamoDB query; a page holds 1 MB at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def queried(client: Any, **request: Any) -> Iterator[dict[str, Any]]:
    """The items, page after page. Raises what the client's `query` raises."""
    while True:
        page = client.query(**request)
        yield from page["Items"]
        if not (last := page.get("LastEvaluatedKey")):
            return
        request["ExclusiveStartKey"] = last
