"""`selfright demo storm`: forty tables in trouble at once, and nearly nothing is changed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cli.place import ROOT, AsJson
from sandbox.storm import EVENTS, SCALE, rehearse
from sandbox.tally import Storm
from selfright.domain.signal import Decision

_IN_WORDS = {
    Decision.OPENED: "opened an incident",
    Decision.JOINED: "joined an open one",
    Decision.HELD: "held by the storm",
    Decision.RECOVERED: "told that an alarm is over",
    Decision.IGNORED: "came after their alarm was over",
}


def storm(
    events: Annotated[int, typer.Option(min=100, max=20000, help="Events of the burst.")] = EVENTS,
    time_scale: Annotated[
        float,
        typer.Option(min=4, max=30, help="How much faster than the wall clock the sandbox's time runs."),
    ] = SCALE,
    as_json: AsJson = False,
) -> None:
    """Forty tables in trouble at once: thousands of events, one message, and no remedy on top of another."""
    console = Console(soft_wrap=True, highlight=False, stderr=as_json)
    console.print(
        "[bold]Selfright demo storm[/] [dim]the real template on a local AWS, for a workload of forty tables[/]\n"
    )

    def step(what: str, seconds: float) -> None:
        took = f" [dim]{seconds:.1f} s[/]" if seconds >= 0.1 else ""  # noqa: PLR2004 - not worth telling
        console.print(f"[green]✓[/] {escape(what)}{took}")

    began = time.monotonic()
    home = ROOT / ".selfright"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demo-", dir=home) as folder:
        result = rehearse(Path(folder), events, step, time_scale)
    facts = report(result, time.monotonic() - began)
    if as_json:
        Console(soft_wrap=True).print_json(data=facts)
    else:
        _print(console, result, facts)
    if not all(result.promises.values()):
        raise typer.Exit(1)


def report(result: Storm, total_seconds: float) -> dict[str, Any]:
    """The storm as JSON. `told`: how many messages about the storm the channel got that got most of them."""
    return {
        "events": {
            "sent": result.sent,
            "decided": result.decided,
            "lost": result.sent - result.decided,
            "dead_letters": result.dead_letters,
            "decisions": {decision.value: count for decision, count in sorted(result.decisions.items())},
        },
        "incidents": len(result.incidents),
        "executions": result.executions,
        "held": result.held_at_intake + result.held_at_gates,
        "held_at": {"intake": result.held_at_intake, "gates": result.held_at_gates},
        "actions": result.actions,
        "actions_in_storm": result.actions_in_storm,
        "actions_cap": result.actions_cap,
        "told": max(result.told_of_storm.values()),
        "told_of_storm": dict(result.told_of_storm),
        "told_otherwise": dict(result.told_otherwise),
        "message": result.message,
        "promises": dict(result.promises),
        "seconds": {"burst_to_drained": round(result.seconds, 1), "total": round(total_seconds, 1)},
    }


def _print(console: Console, result: Storm, facts: dict[str, Any]) -> None:
    events, seconds = facts["events"], facts["seconds"]
    before = result.actions - result.actions_in_storm
    counts = sorted(result.decisions.items(), key=lambda one: -one[1])
    for name, text in (
        ("events", f"{events['sent']:,} sent, {events['decided']:,} decided, {events['lost']:,} lost"),
        ("", ", ".join(f"{count:,} {_IN_WORDS[decision]}" for decision, count in counts)),
        ("incidents", f"{facts['incidents']}, of which {facts['executions']} were taken up"),
        (
            "held",
            f"{facts['held']}: {result.held_at_intake} as they came in, {result.held_at_gates} at the gates",
        ),
        (
            "actions",
            f"{before} before the storm, {result.actions_in_storm} in it; at most {result.actions_cap} in an hour",
        ),
        ("told", f"of the storm: {_by_channel(result.told_of_storm)}"),
        ("", f"of everything else: {_by_channel(result.told_otherwise)}"),
        ("seconds", f"{seconds['burst_to_drained']} for the burst, {seconds['total']} in all"),
    ):
        console.print(f"  [dim]{name:<10}[/] {escape(text)}")
    console.print("\n  what people read")
    for text in result.message.splitlines():
        console.print(f"    [dim]{escape(text)}[/]")
    console.print()
    for promise, kept in result.promises.items():
        console.print(f"[green]✓[/] {promise}" if kept else f"[red]✗ {promise}[/]")


def _by_channel(messages: Any) -> str:
    return ", ".join(f"{channel} {count}" for channel, count in messages.items())
