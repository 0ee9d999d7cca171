"""How the application is, in three tiers, each asking more. No model is asked and no query run: those cost money."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from . import results, settings
from .errors import WorkloadError

Check = Callable[[], object]

TIERS: dict[str, dict[str, Check]] = {
    "liveness": {},
    "readiness": {"settings": settings.current},
    "deep": {"settings": settings.current, "results": lambda: results.latest("health")},
}


def answer(tier: str) -> dict[str, Any]:
    """200 where all is well, 503 where something is not, with each check's outcome."""
    checks = {name: _outcome(check) for name, check in TIERS[tier].items()}
    status = 200 if all(outcome == "ok" for outcome in checks.values()) else 503
    return {"statusCode": status, "health": tier, "checks": checks}


def _outcome(check: Check) -> str:
    try:
        check()
    except (WorkloadError, ClientError, BotoCoreError) as error:
        return type(error).__name__
    return "ok"
