"""`selfright backup list`: the newest recovery point of everything that the manifest wants one of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.place import ROOT, AsJson, InSandbox, StackName, stack_outputs, use_sandbox
from selfright.adapters.aws import Aws
from selfright.adapters.clock import SystemClock
from selfright.domain.backup.catalogue import Standing, standings, wanted

out = Console(soft_wrap=True, highlight=False)


def list_(
    workload: Annotated[str, typer.Option(help="Name of the workload.")] = "opportunity-analysis",
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "development",
    manifests: Annotated[Path, typer.Option(help="Folder of manifests.")] = ROOT / "workloads",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """What can be brought back, how old it is, and whether that is within its objective: exit 1 where it is not."""
    from selfright.adapters.manifest_files import load_workload
    from selfright.adapters.recovery_points import DynamoDBConfigurationChanges, DynamoDBRecoveryPoints

    manifest = load_workload(manifests / workload, environment)
    if in_sandbox:
        use_sandbox()
    aws = Aws()
    (table,) = stack_outputs(aws, stack, "LedgerTable")
    found = standings(
        wanted(manifest),
        DynamoDBRecoveryPoints(aws, table).newest(workload, environment),
        DynamoDBConfigurationChanges(aws, table).pending(workload, environment),
        SystemClock().now(),
    )
    if as_json:
        out.print_json(data={"items": [one.model_dump(mode="json") for one in found]})
    else:
        for one in found:
            out.print(_line(one))
    if not all(one.met for one in found):
        raise typer.Exit(1)


def _line(one: Standing) -> str:
    taken = f"{one.point.taken_at:%Y-%m-%d %H:%M:%S}" if one.point else "-"
    met = "[green]met    [/]" if one.met else "[red]not met[/]"
    return f"{one.kind:16}  {one.source:30}  {taken:19}  {met}  {one.why}"
