"""`selfright sandbox`: a local AWS with Selfright and its sample workload on it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.place import ROOT
from sandbox import lifecycle, people
from sandbox.lifecycle import AlreadyRunningError, Outputs
from sandbox.server import SandboxError, Server
from selfright.adapters.manifest_files import load_workload

app = typer.Typer(help="A local AWS with Selfright and its sample workload on it.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

out = Console(soft_wrap=True, highlight=False)
err = Console(soft_wrap=True, highlight=False, stderr=True)


@app.command()
def up(
    time_scale: Annotated[
        float, typer.Option(min=1, max=100, help="Seconds that pass in the sandbox per second on the wall.")
    ] = 12,
    auth: Annotated[bool, typer.Option("--auth/--no-auth", help="Enforce IAM, as AWS does.")] = True,
    no_deploy: Annotated[bool, typer.Option("--no-deploy", help="Start the local AWS empty.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start the local AWS and deploy Selfright and the sample workload to it."""
    steps: list[dict[str, Any]] = []

    def tell(what: str, seconds: float) -> None:
        steps.append({"step": what, "seconds": round(seconds, 2)})
        if not as_json:
            out.print(f"[green]✓[/] {what} [dim]{seconds:.1f} s[/]")

    stacks = () if no_deploy else lifecycle.both_stacks(time_scale)
    people_of = (
        None if no_deploy else load_workload(ROOT / "workloads" / "opportunity-analysis", "development")
    )
    try:
        with contextlib.nullcontext() if as_json else out.status("starting, building and deploying"):
            server, outputs = lifecycle.up(
                scale=time_scale, auth=auth, stacks=stacks, people_of=people_of, tell=tell
            )
    except AlreadyRunningError as error:
        _fail(f"{error}\nSee `selfright sandbox status`, or stop it with `selfright sandbox down`.", as_json)
    except SandboxError as error:
        _fail(f"{error}\nThe sandbox was taken down again.", as_json)
    if as_json:
        _print_json({**_facts("running", server, outputs), "steps": steps})
    else:
        out.print()
        _print_server(server, outputs)


@app.command()
def down(as_json: AsJson = False) -> None:
    """Stop the sandbox and delete its files. Fine where nothing runs."""
    try:
        before = lifecycle.down()
    except SandboxError as error:
        _fail(str(error), as_json)
    if as_json:
        _print_json({"status": "none", "before": before.state})
    elif before.state == "running" and before.server:
        out.print(f"[green]✓[/] stopped [dim]{before.server.endpoint}, process {before.server.pid}[/]")
    elif before.state == "dead":
        out.print("[green]✓[/] the sandbox had died; cleaned up after it")
    else:
        out.print("no sandbox runs; nothing to do")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Tell whether the sandbox runs, since when, where it answers and what is deployed."""
    found = lifecycle.status()
    if as_json:
        _print_json(_facts(found.state, found.server, found.stacks))
    elif found.state == "running" and found.server:
        _print_server(found.server, found.stacks)
    elif found.state == "dead":
        out.print("[yellow]the sandbox died[/]; `selfright sandbox up` or `down` cleans up after it")
        if found.server:
            out.print(f"[dim]its log: {found.server.log}[/]")
    else:
        out.print("no sandbox runs; start one with `selfright sandbox up`")


@app.command()
def told(as_json: AsJson = False) -> None:
    """Show what people were told through Slack, PagerDuty and a webhook, which the sandbox plays."""
    found = lifecycle.status()
    if found.state != "running" or found.server is None:
        _fail("no sandbox runs; start one with `selfright sandbox up`", as_json)
    messages = people.told(found.server)
    if as_json:
        _print_json({"told": messages})
        return
    for message in messages:
        body = message["body"]
        said = body.get("text") or body.get("payload", {}).get("summary") or json.dumps(body)
        out.print(f"[bold]{message['service']:<10}[/] {escape(body.get('event_action', ''))} {escape(said)}")
    if not messages:
        out.print("nothing yet")


def _facts(state: str, server: Server | None, stacks: dict[str, Outputs]) -> dict[str, Any]:
    if server is None:
        return {"status": state}
    facts = asdict(server) | {"folder": str(server.folder), "log": str(server.log)}
    answers = state == "running" and server.answers()
    return {"status": state, "answers": answers, "endpoint": server.endpoint, **facts, "stacks": stacks}


def _print_server(server: Server, stacks: dict[str, Outputs]) -> None:
    since = datetime.fromtimestamp(server.origin, UTC).astimezone()
    answers = "[green]answers[/]" if server.answers() else "[red]does not answer[/]"
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ignore")  # paths and addresses are there to be copied
    table.add_row("local AWS", f"[bold]{server.endpoint}[/] {answers}")
    table.add_row("clock", f"{server.scale:g} times faster than the wall")
    table.add_row("IAM", "enforced" if server.auth else "not enforced")
    table.add_row("process", f"{server.pid}, since {since:%H:%M:%S}")
    table.add_row("log", str(server.log))
    for name, outputs in stacks.items():
        table.add_row("stack", f"[bold]{name}[/] [dim]outputs: {len(outputs)}[/]")
    if stacks:
        table.add_row("", "[dim]outputs and all else: selfright sandbox status --json[/]")
    else:
        table.add_row("stacks", "none deployed")
    out.print(table)


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))


def _fail(reason: str, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"status": "failed", "error": reason})
    else:
        err.print(f"[red]✗[/] {escape(reason)}")
    raise typer.Exit(1)
