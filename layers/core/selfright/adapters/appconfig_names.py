"""AppConfig's own ids of what people call by names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfright.adapters.aws import Aws
from selfright.domain.errors import NotFoundError


def called(aws: Aws, operation: str, name: str, **where: str) -> Mapping[str, Any]:
    """The one thing of that name which `operation` lists. AppConfig does not keep names unique; we do not guess.

    Raises NotFoundError where there is none, or more than one.
    """
    pages = aws.client("appconfig").get_paginator(operation).paginate(**where)
    found = [item for page in pages for item in page["Items"] if item["Name"] == name]
    if len(found) != 1:
        raise NotFoundError(f"AppConfig has {len(found)} things called {name}; one is wanted")
    return dict(found[0])
