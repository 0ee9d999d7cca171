"""`selfright report`: what the ledger tells of weeks."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.place import AsJson, InSandbox, StackName, stack_outputs, use_sandbox
from selfright.adapters.aws import Aws
from selfright.adapters.clock import SystemClock
from selfright.domain.manifest import Environment
from selfright.domain.release import Release
from selfright.domain.release.dora import Dora, dora, failed, recovery_time

app = typer.Typer(help="Reports from the ledger.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)

BEFORE = timedelta(days=30)  # so far back a failed deployment makes the next one rework


@app.callback()
def _reports() -> None:
    """Without this, typer would make the only command the whole app."""


@app.command("dora")
def report_dora(
    workload: Annotated[str, typer.Argument(help="Name of the workload.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="Until now.")] = 30,
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "production",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """DORA's five metrics of the last days: docs/dora.md says how each is made."""
    place = Environment.parse(environment)
    if in_sandbox:
        use_sandbox()
    aws, end = Aws(), SystemClock().now()
    start = end - timedelta(days=days)
    found = _ledger(aws, stack).since(workload, place, start - BEFORE)
    report = dora(found, start, end)
    if as_json:
        out.print_json(data={"workload": workload, "environment": place, **report.model_dump(mode="json")})
        return
    out.print(f"[bold]{escape(workload)}[/] in {place}, {start:%Y-%m-%d} to {end:%Y-%m-%d} ({days} days)\n")
    if not report.deployments:
        out.print("no deployment: nothing to tell")
        return
    out.print(_table(report))
    taken_back = [release for release in found if failed(release) and release.shifts[0] >= start]
    if taken_back:
        out.print()
        out.print(_failures(taken_back))


def _ledger(aws: Aws, stack: str) -> Any:
    from selfright.adapters.releases import DynamoDBReleaseLedger

    return DynamoDBReleaseLedger(aws, stack_outputs(aws, stack, "LedgerTable")[0])


def _table(report: Dora) -> Table:
    of = f"of {report.deployments}"
    left = f", {report.not_recovered} not put back" if report.not_recovered else ""
    rows = (
        ("deployment frequency", _often(report.deployment_frequency), f"{report.deployments} deployments"),
        (
            "change lead time",
            _span(report.change_lead_time),
            f"median of {report.completed} that stayed live",
        ),
        ("change fail rate", _share(report.change_fail_rate), f"{report.failed} {of} taken back"),
        (
            "failed deployment recovery time",
            _span(report.failed_deployment_recovery_time),
            f"median of {report.failed - report.not_recovered}{left}",
        ),
        (
            "deployment rework rate",
            _share(report.deployment_rework_rate),
            f"{report.reworked} {of} to mend production",
        ),
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("metric")
    table.add_column("value", justify="right", style="bold")
    table.add_column("made of", style="dim")
    for row in rows:
        table.add_row(*row)
    return table


def _failures(releases: list[Release]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("taken back")
    table.add_column("when")
    table.add_column("within", justify="right")
    table.add_column("why", overflow="fold")
    for release in sorted(releases, key=lambda one: one.shifts[0], reverse=True):
        table.add_row(
            release.id,
            f"{release.evidence_at:%Y-%m-%d %H:%M}" if release.evidence_at else "-",
            _span(recovery_time(release)),
            escape(f"{release.stop}: {release.why}"),
        )
    return table


def _often(a_day: float) -> str:
    """In the largest unit in which it is at least one."""
    for unit, days in (("day", 1), ("week", 7)):
        if a_day * days >= 1:
            return f"{a_day * days:.1f} a {unit}"
    return f"{a_day * 30:.1f} in 30 days"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _span(span: timedelta | None) -> str:
    if span is None:
        return "-"
    seconds = span.total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
