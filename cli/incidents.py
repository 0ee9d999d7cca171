"""`selfright incidents`: what happened and what was done about it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from cli.place import AsJson, InSandbox, StackName, store
from selfright.domain.errors import BadInputError

app = typer.Typer(help="What happened, and what was done about it.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)


@app.command("list")
def list_(
    workload: Annotated[str, typer.Option(help="Name of the workload.")] = "opportunity-analysis",
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "development",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """The newest incidents of a workload."""
    from cli.timeline import incidents_table
    from selfright.domain.manifest import Environment

    found = list(store(in_sandbox, stack).incidents(workload, Environment.parse(environment), limit))
    if as_json:
        out.print_json(data={"incidents": [i.model_dump(mode="json") for i in found]})
    elif found:
        out.print(incidents_table(found))
    else:
        out.print(f"no incident of {workload} in {environment}")


@app.command()
def show(
    incident_id: str,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """One incident with its timeline, every gate's verdict and every value before and after."""
    from cli.timeline import case_lines, incidents_table
    from selfright.domain.report import report

    if not incident_id.startswith("inc-"):
        raise BadInputError(
            "INCIDENT_ID", "must be an incident's id, as `selfright incidents list` prints it"
        )
    case = store(in_sandbox, stack).case(incident_id)
    if as_json:
        out.print_json(data=case.model_dump(mode="json"))
        return
    out.print(incidents_table([case.incident]))
    out.print()
    for text in case_lines(case):
        out.print(text)
    out.print()
    out.print(report(case).text)
