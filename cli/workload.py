"""`selfright workload`: the sample workload of the running sandbox, and what can be made to go wrong with it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.place import AsJson
from sandbox import faults, lifecycle
from sandbox.server import Server
from sandbox.workload import ENVIRONMENTS
from selfright.domain.errors import BadInputError, NotFoundError

app = typer.Typer(help="The sample workload of the running sandbox.", no_args_is_help=True)
faults_app = typer.Typer(help="Make something go wrong with it, and mend it again.", no_args_is_help=True)
app.add_typer(faults_app, name="faults")
out = Console(soft_wrap=True, highlight=False)

OfEnvironment = Annotated[str, typer.Option("--environment", help="development, staging or production.")]
FaultName = Annotated[str, typer.Argument(metavar="NAME", help="See `selfright workload faults list`.")]


@faults_app.command("list")
def list_(environment: OfEnvironment = "development", as_json: AsJson = False) -> None:
    """What can go wrong, and what is wrong now."""
    active = faults.active(_server(environment), environment)
    if as_json:
        known = [
            {"name": fault.name, "on": fault.name in active, "story": fault.story, "symptom": fault.symptom}
            for fault in faults.FAULTS.values()
        ]
        out.print_json(data={"environment": environment, "faults": known})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("fault", "", "what happened", "what is seen"):
        table.add_column(column)
    for fault in faults.FAULTS.values():
        table.add_row(fault.name, "[red]on[/]" if fault.name in active else "", fault.story, fault.symptom)
    out.print(table)


@faults_app.command("on")
def on(name: FaultName, environment: OfEnvironment = "development", as_json: AsJson = False) -> None:
    """Make it go wrong."""
    server = _server(environment)
    fault = _fault(name)
    faults.on(name, server, environment)
    if as_json:
        out.print_json(data={"environment": environment, "fault": name, "on": True})
    else:
        out.print(f"[red]●[/] {name}: {fault.story}\n  {fault.symptom}")


@faults_app.command("off")
def off(name: FaultName, environment: OfEnvironment = "development", as_json: AsJson = False) -> None:
    """Put back what stood there before. Fine where it is not on."""
    server = _server(environment)
    _fault(name)
    was_on = faults.off(name, server, environment)
    if as_json:
        out.print_json(data={"environment": environment, "fault": name, "on": False, "was_on": was_on})
    else:
        out.print(f"[green]✓[/] {name} is off" if was_on else f"{name} was not on")


def _server(environment: str) -> Server:
    if environment not in ENVIRONMENTS:
        raise BadInputError("--environment", f"must be one of {', '.join(ENVIRONMENTS)}, is {environment!r}")
    found = lifecycle.status()
    if found.state != "running" or found.server is None:
        raise NotFoundError("no sandbox runs; start one with `selfright sandbox up`")
    return found.server


def _fault(name: str) -> faults.Fault:
    if name not in faults.FAULTS:
        raise BadInputError("NAME", f"must be one of {', '.join(faults.FAULTS)}, is {name!r}")
    return faults.FAULTS[name]
