"""`selfright backup status`: when each table's backup was proven last, and what restores have taken so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cli.place import ROOT, AsJson, InSandbox, StackName, stack_outputs, use_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selfright.backup_ports import RestoreTests
    from selfright.domain.manifest import Workload

out = Console(soft_wrap=True, highlight=False)


def status(
    workload: Annotated[str, typer.Option(help="Name of the workload.")] = "opportunity-analysis",
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "development",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """Each table's last restore test, with RPO and RTO so far: exit 0 if all of them passed, else 1."""
    from selfright.adapters.aws import Aws
    from selfright.adapters.manifest_files import load_workload
    from selfright.adapters.restore_tests import DynamoDBRestoreTests
    from selfright.domain.manifest import Environment

    manifest = load_workload(ROOT / "workloads" / workload, Environment.parse(environment))
    if in_sandbox:
        use_sandbox()
    aws = Aws()
    (ledger,) = stack_outputs(aws, stack, "LedgerTable")
    found = list(lines(manifest, DynamoDBRestoreTests(aws, ledger)))
    if as_json:
        out.print_json(data={"tables": found})
    else:
        _print(found)
    raise typer.Exit(0 if all(line["verdict"] == "PASS" for line in found) else 1)


def lines(manifest: Workload, tests: RestoreTests) -> Iterator[dict[str, Any]]:
    """One for each table of the manifest; `verdict` is None where no test has ended yet."""
    from selfright.domain.backup.history import NIGHTS, history_of

    policy = manifest.backup
    for table in policy.tables:
        measured = tests.history(manifest.workload, manifest.environment, table, NIGHTS)
        newest = measured[0] if measured else None
        so_far = history_of(measured, rpo_allowed=policy.rpo_seconds, rto_allowed=policy.rto_seconds)
        yield {
            "table": table,
            "verdict": newest and newest.verdict,
            "ended_at": newest and newest.ended_at.isoformat(),
            **so_far.model_dump(mode="json"),
            "told": {"rpo": str(so_far.rpo), "rto": str(so_far.rto)},
        }


def _print(found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("the manifest has no table under backup.tables: nothing is tested")
    for line in found:
        colour = {"PASS": "green", "FAIL": "red"}.get(line["verdict"], "yellow")
        out.print(
            f"{line['table']}  [{colour}]{line['verdict'] or 'never tested'}[/]  {line['ended_at'] or ''}"
        )
        out.print(f"  {line['passed']} of the last {line['tests']} tests passed")
        out.print(f"  RPO  {line['told']['rpo']}")
        out.print(f"  RTO  {line['told']['rto']}")
