"""`selfright explain`: what would be made of one event, gate by gate, without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.events import Policies, read_event
from cli.place import ROOT, AsJson
from selfright.domain.errors import BadInputError
from selfright.domain.gates import Verdict
from selfright.usecases.explain_signal import Explanation, Would

out = Console(soft_wrap=True, highlight=False)
REFUSED = 2  # exit code
COLOURS = {Verdict.GO: "green", Verdict.ASK: "yellow", Verdict.STOP: "red"}

WorkloadRoot = Annotated[Path, typer.Option("--workload-root", help="Folder with a folder per workload.")]
InEnvironment = Annotated[
    str | None, typer.Option("--environment", help="Ask only the manifests of this environment.")
]


def explain(
    event: Annotated[Path, typer.Option("--event", help="File with one event, as AWS sends it.")],
    workload_root: WorkloadRoot = ROOT / "workloads",
    environment: InEnvironment = None,
    as_json: AsJson = False,
) -> None:
    """Explain what would be made of an event: signal, runbook, every gate, checks and remedies. Asks no AWS."""
    policies = Policies(ROOT / "runbooks", workload_root, environment)
    try:
        explanation = policies.explain(read_event(event))
    except BadInputError as error:
        if as_json:
            out.print_json(data={"accepted": False, "refused": {"field": error.field, "rule": error.rule}})
        else:
            out.print(f"[red]refused[/] {error.field}: {error.rule}")
        raise typer.Exit(REFUSED) from None
    if as_json:
        out.print_json(explanation.model_dump_json())
    else:
        _print(explanation)


def _print(seen: Explanation) -> None:
    signal = seen.signal
    where = (
        f"{signal.resource} of {signal.workload} {signal.environment}" if signal.workload else "no workload's"
    )
    out.print(f"[bold]{signal.name}[/] is {signal.state} since {signal.at:%Y-%m-%d %H:%M:%S} UTC ({where})")
    out.print(f"runbook  {seen.runbook or 'none'}")
    colour = {Would.ACT: "green", Would.ASK: "yellow", Would.STOP: "red"}.get(seen.would, "bold")
    out.print(f"[{colour}]{seen.would}[/]  {seen.say}")
    if not seen.gates:
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("gate", no_wrap=True)
    for heading in ("verdict", "value", "threshold"):
        table.add_column(heading, overflow="fold")
    for gate in seen.gates:
        verdict = f"[{COLOURS[gate.verdict]}]{gate.verdict}[/]"
        table.add_row(gate.gate, verdict, gate.value, gate.threshold)
    out.print()
    out.print(table)
    out.print("\n[bold]Assumed[/], because only AWS and the ledger know")
    for assumption in dict.fromkeys(gate.assumed for gate in seen.gates if gate.assumed):
        out.print(f"  {assumption}", markup=False)
    out.print("\n[bold]Looks first[/]")
    for check in seen.checks:
        out.print(f"  {check.check}: {check.reads}", markup=False)
    for rule in seen.escalate_when:
        out.print(f"  people, where {rule.finding}", markup=False)
    out.print("\n[bold]Then the first of these that fits[/]")
    for remedy in seen.remedies:
        out.print(f"  {remedy.id}: {remedy.changes} ({remedy.radius})", markup=False)
        out.print(
            f"      when {', '.join(remedy.when)}; unless {', '.join(remedy.unless) or '-'}", markup=False
        )
