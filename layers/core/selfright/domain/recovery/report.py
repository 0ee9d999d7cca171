"""What a recovery or a drill is remembered by: one JSON document in the evidence bucket."""

from __future__ import annotations

import json

from selfright.domain.recovery.record import Recovery


def report_key(recovery: Recovery) -> str:
    asked = recovery.asked
    day = f"{recovery.began_at:%Y/%m/%d}"
    return f"evidence/{asked.workload}/{asked.environment}/recoveries/{day}/{recovery.id}.json"


def report(recovery: Recovery) -> str:
    """The record with the objectives achieved, in seconds. It names keys and settings, and holds no contents.

    None: not measured, because nothing was recovered.
    """
    asked = recovery.asked.model_dump(mode="json")
    document = {
        "recovery": recovery.id,
        "execution": recovery.execution,
        "asked": asked,
        "status": recovery.status,
        "why": recovery.why,
        "began_at": recovery.began_at.isoformat(),
        "ended_at": recovery.ended_at.isoformat() if recovery.ended_at else None,
        "rto_seconds": recovery.rto_seconds,
        "rpo_seconds": recovery.rpo_seconds,
        "expected_rto_seconds": recovery.expected_rto_seconds,
        "steps": [step.model_dump(mode="json") for step in recovery.steps],
        "differences": [{"name": one.name, "loss": one.loss} for one in recovery.findings],
        "left_to_people": recovery.left_to_people,
        "copy": recovery.copy_name,
    }
    return json.dumps(document, indent=2) + "\n"
