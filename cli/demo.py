"""`selfright demo`: an outage on the local AWS, remedied and proven while you watch."""

from __future__ import annotations

import re
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cli.demo_backup import backup
from cli.demo_release import bad_release, release
from cli.place import ROOT, AsJson
from cli.storm import storm
from cli.timeline import entry_lines, line
from sandbox.rehearsal import THROTTLED_TABLE, WRONG_SUSPECT, Rehearsal, Scenario, Watcher, rehearse
from selfright.domain.incident import Attempt, AttemptStatus, Entry

PICTURE_COLUMNS = 132

app = typer.Typer(help="An outage on the local AWS, remedied and proven while you watch.")
app.command()(storm)


app.command()(release)
app.command()(bad_release)

TimeScale = Annotated[
    float | None,
    typer.Option(min=4, max=30, help="How much faster than the wall clock the sandbox's time runs."),
]
Picture = Annotated[Path | None, typer.Option(help="Also save what was printed, as an SVG picture.")]


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context, time_scale: TimeScale = None, as_json: AsJson = False, picture: Picture = None
) -> None:
    """Break the sample workload on the local AWS and watch Selfright put it right."""
    if (
        context.invoked_subcommand is None
        and not _show(THROTTLED_TABLE, time_scale, as_json, picture).resolved
    ):
        raise typer.Exit(1)


@app.command()
def undo(time_scale: TimeScale = None, as_json: AsJson = False, picture: Picture = None) -> None:
    """A wrong suspect: the first remedy does not help and is taken back, the second one works."""
    result = _show(WRONG_SUSPECT, time_scale, as_json, picture)
    undone = any(attempt.status is AttemptStatus.UNDONE for attempt in result.case.attempts)
    if not (result.resolved and undone):
        raise typer.Exit(1)


app.command()(backup)


def _show(scenario: Scenario, time_scale: float | None, as_json: bool, picture: Path | None) -> Rehearsal:
    width = PICTURE_COLUMNS if picture else None
    console = Console(soft_wrap=True, highlight=False, stderr=as_json, record=bool(picture), width=width)
    began = time.monotonic()
    home = ROOT / ".selfright"
    home.mkdir(exist_ok=True)
    console.print(
        "[bold]Selfright demo[/] [dim]the real template, deployed with the SAM CLI to a local AWS[/]\n"
    )

    def step(what: str, seconds: float) -> None:
        took = f" [dim]{seconds:.1f} s[/]" if seconds >= 0.1 else ""  # noqa: PLR2004 - not worth telling
        console.print(f"[green]✓[/] {what}{took}")

    def alarm(name: str, state: str, seconds: float) -> None:
        console.print(
            line(seconds, "alarm", "bold red" if state == "ALARM" else "bold green", f"{name}: {state}")
        )

    def entry(entry: Entry, seconds: float) -> None:
        for text in entry_lines(entry, seconds):
            console.print(text)

    with tempfile.TemporaryDirectory(prefix="demo-", dir=home) as folder:
        result = rehearse(scenario, Path(folder), Watcher(step, alarm, entry), time_scale or scenario.scale)
    facts = report(result, time.monotonic() - began)
    if as_json:
        Console(soft_wrap=True).print_json(data=facts)
    else:
        _print(console, facts)
    if picture:
        svg = console.export_svg(title="make demo")
        picture.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))  # no fonts from afar
    return result


def report(result: Rehearsal, total_seconds: float) -> dict[str, Any]:
    """The demo as JSON. All seconds are of the wall: waits are shortened by `time_scale`, work is not."""
    incident = result.case.incident
    acted = [a for a in result.case.attempts if a.plan and a.applied_at]
    judged = [a.judgement for a in acted if a.judgement]

    def since_alarm(at: datetime | None) -> float | None:
        return result.wall_seconds(incident.episode, at)

    return {
        "incident": incident.model_dump(mode="json"),
        "runbook": incident.runbook,
        "actions": [_action(a) for a in acted],
        "verified_on": [
            {
                "metric": j.metric,
                "threshold": j.threshold,
                "comparison": j.comparison,
                "before": j.before,
                "after": j.after,
                "outcome": j.outcome,
            }
            for j in judged
        ],
        "seconds": {
            "alarm_to_decision": since_alarm(incident.opened_at),
            "alarm_to_first_action": since_alarm(acted[0].applied_at if acted else None),
            "alarm_to_verified": since_alarm(judged[-1].judged_at if judged else None),
            "fault_to_alarm": result.wall_seconds(result.fault_at, incident.episode),
            "total": round(total_seconds, 1),
        },
        "time_scale": result.scale,
        "api_calls": result.api_calls,
        "traffic": {
            name: {"analyses": counts.total, "failed": counts.failed}
            for name, counts in (("calm", result.calm), ("broken", result.broken), ("fixed", result.fixed))
        },
        "alarm": result.alarm_state,
        "live_version": dict(zip(("before", "after"), result.live, strict=True)),
        "told": {
            "mails": [{"subject": m["Subject"], "text": m["Message"]} for m in result.told.mails],
            "chat": [{"text": post["text"], "blocks": post["blocks"]} for post in result.told.chat],
            "pages": [
                {"action": e["event_action"], "summary": e["payload"]["summary"]} for e in result.told.pages
            ],
        },
        "timeline": [e.model_dump(mode="json") for e in result.case.timeline],
    }


def _action(attempt: Attempt) -> dict[str, Any]:
    plan = attempt.plan
    return {
        "action": plan.action if plan else None,
        "target": plan.target if plan else None,
        "before": plan.before if plan else None,
        "after": plan.after if plan else None,
        "status": attempt.status,
        "gates": [{"gate": g.gate, "verdict": g.verdict} for g in attempt.gates],
    }


def _print(console: Console, facts: dict[str, Any]) -> None:
    seconds = facts["seconds"]
    traffic = facts["traffic"]
    status = facts["incident"]["status"]
    console.print(
        f"\n[bold]{facts['incident']['id']} [{'green' if status == 'resolved' else 'red'}]{status}[/][/]"
    )
    console.print(
        f"  alarm to decision {seconds['alarm_to_decision']} s, to first action"
        f" {seconds['alarm_to_first_action']} s, to verified {seconds['alarm_to_verified']} s"
        f" [dim](waits {facts['time_scale']:g} times faster than on AWS, work as it is)[/]"
    )
    told = facts["told"]
    lines = [("e-mail", m["subject"]) for m in told["mails"]]
    lines += [("Slack", post["text"]) for post in told["chat"]]
    lines += [("PagerDuty", f"{page['action']}: {page['summary']}") for page in told["pages"]]
    lines += [] if told["pages"] else [("PagerDuty", "nothing: nobody was woken")]
    console.print("  people were told")
    for where, what in lines:
        console.print(f"    {where:<10} {escape(what)}")
    shares = ", ".join(f"{name} {c['failed']} of {c['analyses']}" for name, c in traffic.items())
    console.print(f"  failed analyses: {shares}")
    console.print(f"  {facts['api_calls']} AWS calls by Selfright, {seconds['total']} s in all")
