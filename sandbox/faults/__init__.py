"""What can be made to go wrong with the sample workload: real causes, switched on and off.

    on("throttled-table", server, "development")
    off("throttled-table", server, "development")

Each fault changes what a person, a release or a dependency would have changed, and nothing in the control plane.
What stood there before is kept in a file of the sandbox, so `off` restores it from any process.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.faults import defective_release, spoiled_settings, starved_table, troubled_model
from sandbox.server import SandboxError, Server

Before = dict[str, Any]  # JSON: what stood there before


@dataclass(frozen=True)
class Fault:
    """`story`: what happened, as a post-mortem would tell it. `symptom`: what can be seen of it."""

    name: str
    story: str
    symptom: str
    look: Callable[[Server, str], Before]  # raises SandboxError where the fault cannot be switched on
    change: Callable[[Server, str, Before], None]
    restore: Callable[[Server, str, Before], None]


def on(name: str, server: Server, environment: str) -> None:
    """Make it go wrong. Raises SandboxError for an unknown fault, and where it is on already."""
    fault = _fault(name)
    note = _note(server, environment, name)
    if note.exists():
        raise SandboxError(f"{name} is on already in {environment}")
    before = fault.look(server, environment)
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps(before))  # first, so that `off` works even where the change stops half-way
    fault.change(server, environment, before)


def off(name: str, server: Server, environment: str) -> bool:
    """Put back what stood there before, whoever changed it since; False where the fault was not on."""
    fault = _fault(name)
    note = _note(server, environment, name)
    if not note.exists():
        return False
    fault.restore(server, environment, json.loads(note.read_text()))
    note.unlink()
    return True


def active(server: Server, environment: str) -> tuple[str, ...]:
    """The names of the faults that are on."""
    return tuple(name for name in FAULTS if _note(server, environment, name).exists())


def _fault(name: str) -> Fault:
    if name not in FAULTS:
        raise SandboxError(f"there is no fault {name!r}; known: {', '.join(FAULTS)}")
    return FAULTS[name]


def _note(server: Server, environment: str, name: str) -> Path:
    return server.folder / "faults" / f"{environment}.{name}.json"


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "throttled-table",
            "To save money, somebody lowered the write capacity of the analysis results to 1 unit.",
            "Writes are throttled; most analyses are answered with a 503 (ResultNotStoredError).",
            starved_table.look,
            starved_table.starve,
            starved_table.restore,
        ),
        Fault(
            "dependency-errors",
            "The analysis model answers half of its calls with an error of its own.",
            "Half of the analyses are answered with a 503 (ModelUnavailableError).",
            troubled_model.look,
            troubled_model.fail,
            troubled_model.heal,
        ),
        Fault(
            "slow-dependency",
            f"The analysis model takes {troubled_model.SLOW_ANSWER_SECONDS:.0f} s longer for each answer.",
            "AnalysisTime and the orchestrator's duration rise beyond what users wait for.",
            troubled_model.look,
            troubled_model.dawdle,
            troubled_model.heal,
        ),
        Fault(
            "bad-release",
            "A release went live that takes a published ceiling for granted.",
            "The orchestrator crashes (TypeError) on the 30 % of opportunities that have none.",
            defective_release.look,
            defective_release.publish_crashing,
            defective_release.restore,
        ),
        Fault(
            "harmless-release",
            "A release went live that makes summaries ten characters shorter.",
            "Nothing; it only stands near when something else goes wrong.",
            defective_release.look,
            defective_release.publish_harmless,
            defective_release.restore,
        ),
        Fault(
            "memory-growth",
            "A release went live that keeps something of every analysis in memory.",
            "MemoryUsed grows with every analysis, until Lambda ends the environment (Runtime.OutOfMemory).",
            defective_release.look,
            defective_release.publish_leaking,
            defective_release.restore,
        ),
        Fault(
            "bad-configuration",
            'Somebody set cache_ttl_seconds to "1h" in the settings.',
            "The orchestrator crashes (ConfigurationError) on every analysis.",
            spoiled_settings.look,
            spoiled_settings.spoil,
            spoiled_settings.restore,
        ),
    )
}
