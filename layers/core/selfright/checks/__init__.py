"""The catalogue of checks: each reads one thing about a resource and answers named findings."""

from __future__ import annotations

from selfright.checks import dynamodb
from selfright.ports import Check

CHECKS: dict[str, Check] = {c.declaration.name: c for c in dynamodb.CHECKS}
