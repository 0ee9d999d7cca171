"""The smallest manifest that is valid, and the shipped one as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def workloads() -> Path:
    return ROOT / "workloads"


@pytest.fixture
def smallest() -> dict[str, Any]:
    return {
        "workload": "shop",
        "description": "Sells things.",
        "owner": "shop-team",
        "resources": {
            "orders": {"type": "dynamodb-table", "name": "{workload}-{environment}-orders"},
            "checkout": {"type": "lambda-function", "name": "{workload}-{environment}-checkout"},
        },
        "alarms": {
            "orders-throttled": {
                "name": "{workload}-{environment}-orders-throttled",
                "resource": "orders",
                "symptom": "throttling",
                "severity": "critical",
            },
            "checkout-errors": {
                "name": "{workload}-{environment}-checkout-errors",
                "resource": "checkout",
                "symptom": "errors",
                "severity": "high",
            },
        },
        "guards": ["checkout-errors"],
    }
