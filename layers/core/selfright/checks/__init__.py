"""The catalogue of checks: each reads one thing about a resource and answers named findings."""

from __future__ import annotations

from selfright.checks import dynamodb, function_errors, function_quotas, function_releases
from selfright.ports import Check

CHECKS: dict[str, Check] = {
    c.declaration.name: c
    for family in (dynamodb, function_errors, function_releases, function_quotas)
    for c in family.CHECKS
}
