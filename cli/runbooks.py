"""`selfright runbooks`: read them, and prove that they hold together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.place import ROOT, AsJson
from selfright.adapters.runbook_files import load_runbook, load_runbooks
from selfright.domain.errors import BadInputError, ManifestError
from selfright.domain.runbook import Runbook

app = typer.Typer(help="Runbooks: prose for people, steps for the machine.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)
FOLDER = ROOT / "runbooks"
PARTS = ("symptoms", "immediate_actions", "diagnosis", "resolution", "escalation", "prevention")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every runbook, and what it is for."""
    runbooks = load_runbooks(FOLDER)
    if as_json:
        out.print_json(data={"runbooks": [r.model_dump(mode="json") for r in runbooks]})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("runbook", "for", "checks", "remedies"):
        table.add_column(heading)
    for runbook in runbooks:
        wanted = f"{', '.join(runbook.matches.symptoms)} of {', '.join(runbook.matches.resource_types)}"
        table.add_row(runbook.id, wanted, str(len(runbook.checks)), ", ".join(r.id for r in runbook.remedies))
    out.print(table)


@app.command()
def show(runbook_id: str, as_json: AsJson = False) -> None:
    """One runbook, as people read it."""
    path = FOLDER / f"{runbook_id}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise BadInputError("RUNBOOK_ID", f"must be one of: {known}")
    runbook = load_runbook(path)
    if as_json:
        out.print_json(data=runbook.model_dump(mode="json"))
    else:
        _print(runbook)


@app.command()
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Runbook files; all of runbooks/ by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that every check, action, finding and parameter that a runbook names exists."""
    from selfright.actions import ACTIONS
    from selfright.checks import CHECKS
    from selfright.usecases.lint_runbook import lint_runbook

    problems: dict[str, list[str]] = {}
    for path in files or sorted(FOLDER.glob("*.yaml")):
        try:
            problems[path.name] = lint_runbook(load_runbook(path), CHECKS, ACTIONS)
        except ManifestError as error:
            problems[path.name] = [f"{error.field}: {error.rule}"]
    if as_json:
        out.print_json(data={"ok": not any(problems.values()), "problems": problems})
    else:
        for name, found in problems.items():
            out.print(f"[red]✗[/] {name}" if found else f"[green]✓[/] {name}")
            for problem in found:
                out.print(f"    {problem}", markup=False)
    if any(problems.values()):
        raise typer.Exit(2)


def _print(runbook: Runbook) -> None:
    out.print(f"[bold]{runbook.title}[/] [dim]({runbook.id}, {runbook.severity})[/]")
    for part in PARTS:
        out.print(f"\n[bold]{part.replace('_', ' ').capitalize()}[/]")
        for text in getattr(runbook, part):
            out.print(f"  - {text}", markup=False)
    out.print("\n[bold]What the machine does[/]")
    for check in runbook.checks:
        out.print(f"  check   {check.use}", markup=False)
    for rule in runbook.escalate_when:
        out.print(f"  people  when {rule.finding}: {rule.say}", markup=False)
    for remedy in runbook.remedies:
        out.print(f"  remedy  {remedy.id}: {remedy.use}", markup=False)
        out.print(f"          when {', '.join(remedy.when)}", markup=False)
        out.print(f"          unless {', '.join(remedy.unless) or '-'}", markup=False)
