"""How a release looks in a terminal: its log line by line, and a row in a list."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli.timeline import line
from selfright.domain.release import LogLine, Milestone, Release, ReleaseFile, ReleaseStatus

_STYLES = {
    Milestone.REQUESTED: "yellow",
    Milestone.REFUSED: "bold red",
    Milestone.ADMITTED: "cyan",
    Milestone.PREPARED: "cyan",
    Milestone.CHANGED: "bold magenta",
    Milestone.PUBLISHED: "cyan",
    Milestone.CONFIGURED: "cyan",
    Milestone.TESTED: "bold blue",
    Milestone.SHIFTED: "bold magenta",
    Milestone.JUDGED: "bold blue",
    Milestone.PROLONGED: "yellow",
    Milestone.STOPPED: "bold red",
    Milestone.RESTORED: "bold magenta",
    Milestone.FAILED: "bold red",
    Milestone.CLOSED: "bold green",
    Milestone.UNSTUCK: "bold magenta",
    Milestone.TOLD: "dim",
}
STATUS_STYLE = {
    ReleaseStatus.COMPLETED: "green",
    ReleaseStatus.ROLLED_BACK: "yellow",
    ReleaseStatus.REFUSED: "yellow",
    ReleaseStatus.ROLLBACK_FAILED: "red",
}


def log_line(entry: LogLine, seconds: float) -> Text:
    """One line of a release's log; `seconds` since its start."""
    return line(seconds, f"{entry.milestone:<9}", _STYLES[entry.milestone], entry.text)


def log_lines(file: ReleaseFile) -> list[Text]:
    """A whole log; seconds count from the request."""
    start = file.release.requested_at
    return [log_line(entry, (entry.at - start).total_seconds()) for entry in file.log]


def releases_table(releases: list[Release]) -> Table:
    """One row per release, newest first."""
    table = Table(box=None, pad_edge=False)
    for heading in ("release", "requested", "status", "step", "commit", "by", "why it stopped"):
        table.add_column(heading, overflow="fold")
    for one in releases:
        style = STATUS_STYLE.get(one.status, "cyan")
        table.add_row(
            one.id,
            f"{one.requested_at:%Y-%m-%d %H:%M:%S}",
            f"[{style}]{one.status}[/]",
            f"{one.position}/{len(one.rungs)}",
            one.request.commit[:12],
            one.request.requested_by,
            escape(f"{one.stop}: {one.why}" if one.stop else "-"),
        )
    return table
