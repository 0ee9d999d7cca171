"""How an incident's timeline looks in a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from selfright.domain.incident import CaseFile, Entry, EntryKind, Incident, IncidentStatus

_MARKS = {
    EntryKind.SIGNAL_RECEIVED: ("signal", "yellow"),
    EntryKind.RUNBOOK_CHOSEN: ("runbook", "cyan"),
    EntryKind.GATES_ASKED: ("gates", "cyan"),
    EntryKind.CHECKS_RUN: ("checks", "cyan"),
    EntryKind.REMEDY_CHOSEN: ("remedy", "cyan"),
    EntryKind.ACTION_APPLIED: ("act", "bold magenta"),
    EntryKind.OUTCOME_JUDGED: ("judge", "bold blue"),
    EntryKind.ACTION_UNDONE: ("undo", "bold red"),
    EntryKind.STEP_FAILED: ("failed", "bold red"),
    EntryKind.INCIDENT_CLOSED: ("closed", "bold green"),
    EntryKind.PEOPLE_TOLD: ("told", "cyan"),
}
STATUS_STYLE = {
    IncidentStatus.OPEN: "yellow",
    IncidentStatus.RESOLVED: "green",
    IncidentStatus.RECOVERED: "green",
    IncidentStatus.HELD: "magenta",
    IncidentStatus.ESCALATED: "red",
}


def line(seconds: float, word: str, style: str, text: str) -> Text:
    """One line: seconds since the start, a word, what happened."""
    return Text.assemble((f"{seconds:8.1f} s  ", "dim"), (f"{word:<8}", style), " ", text)


def entry_lines(entry: Entry, seconds: float) -> list[Text]:
    """A timeline entry, with the numbers that stand behind it on lines of their own."""
    word, style = _MARKS[entry.kind]
    return [line(seconds, word, style, entry.text), *(Text(" " * 20 + more, "dim") for more in _more(entry))]


def _more(entry: Entry) -> list[str]:
    detail: dict[str, Any] = entry.detail
    match entry.kind:
        case EntryKind.GATES_ASKED:
            return [
                f"{g['gate']}: {g['verdict']}, {g['reason']} ({g['value']}; wanted {g['threshold']})"
                for g in detail.get("gates", ())
                if g["verdict"] != "go"
            ]
        case EntryKind.CHECKS_RUN:
            return [f"{check} failed: {why}" for check, why in detail.get("failed", {}).items()]
        case EntryKind.OUTCOME_JUDGED:
            rule = f"alarm where {detail['comparison']} {detail['threshold']:g}"
            numbers = {
                name: ", ".join(f"{v:.3g}" for v in detail[name]) or "-" for name in ("before", "after")
            }
            return [
                f"before {numbers['before']}",
                f"after  {numbers['after']}  ({rule})",
                *(f"guard {name}: {state}" for name, state in detail["guards"].items()),
            ]
        case EntryKind.ACTION_UNDONE:
            changed = [name for name in detail["after"] if detail["after"][name] != detail["before"][name]]
            return [f"{name} {detail['before'][name]} → {detail['after'][name]}" for name in changed]
        case _:
            return []


def case_lines(case: CaseFile, since: datetime | None = None) -> list[Text]:
    """A whole timeline; seconds count from `since`, or from the alarm."""
    start = since or case.incident.episode
    return [text for e in case.timeline for text in entry_lines(e, (e.at - start).total_seconds())]


def incidents_table(incidents: list[Incident]) -> Table:
    """One row per incident, newest first."""
    table = Table(box=None, pad_edge=False)
    for heading in ("incident", "opened", "status", "problem", "runbook", "outcome"):
        table.add_column(heading, overflow="fold")
    for i in incidents:
        style = STATUS_STYLE[i.status]
        table.add_row(
            i.id,
            f"{i.opened_at:%Y-%m-%d %H:%M:%S}",
            f"[{style}]{i.status}[/]",
            f"{i.symptom} of {i.resource}",
            i.runbook or "-",
            escape(i.outcome or "-"),
        )
    return table
