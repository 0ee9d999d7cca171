"""`selfright recovery`: get back what was lost, a plan first; and how it went."""

from __future__ import annotations

import getpass
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from cli.place import AsJson, InSandbox, StackName, stack_outputs, use_sandbox
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.manifest import Environment

if TYPE_CHECKING:
    from selfright.adapters.recoveries import DynamoDBRecoveries
    from selfright.domain.recovery.record import Recovery

app = typer.Typer(help="Get back what was lost: a plan first, then its steps.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)

LOOK_EVERY = 1.0  # seconds
LISTED = 20  # findings printed for people; --json has them all


@app.command()
def start(
    request: Annotated[
        Path, typer.Argument(help="What to recover, as JSON: docs/recover.md, events/recover/.")
    ],
    really: Annotated[
        bool, typer.Option("--really", help="Do it. Without, it only says what it would do.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Until it is over.")] = False,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Start a recovery; a dry run unless told otherwise."""
    from selfright.domain.recovery.record import id_of
    from selfright.domain.recovery.request import RecoverInput

    try:
        given = json.loads(request.read_text())
        asked = RecoverInput.model_validate(
            {"requested_by": getpass.getuser(), **given, "dry_run": not really}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInputError(".".join(map(str, first["loc"])) or "request", first["msg"]) from None
    except (OSError, ValueError, TypeError) as error:
        raise BadInputError("REQUEST", f"must be a JSON file ({error})") from None
    aws = _aws(in_sandbox)
    (machine,) = stack_outputs(aws, stack, "RecoverArn")
    with translated("starting a recovery"):
        started = aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=asked.model_dump_json()
        )
    recovery = id_of(started["executionArn"])
    out.print(f"recovery {recovery}{'' if really else ': a dry run; --really does it'}")
    if follow:
        _end(_follow(_ledger(aws, stack), recovery))


@app.command()
def status(
    recovery: Annotated[str | None, typer.Argument(help="The newest ones where none is named.")] = None,
    workload: Annotated[str, typer.Option(help="Name of the workload.")] = "opportunity-analysis",
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "development",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """How a recovery went, with the RTO and RPO achieved; or the newest ones."""
    ledger = _ledger(_aws(in_sandbox), stack)
    if recovery is None:
        found = list(ledger.newest(workload, Environment.parse(environment), 20))
    else:
        one = ledger.find(recovery)
        if one is None:
            raise NotFoundError(f"there is no recovery {recovery}")
        found = [one]
    if as_json:
        out.print_json(data={"recoveries": [document(one) for one in found]})
        return
    for one in found:
        print_recovery(one, full=recovery is not None)
    if not found:
        out.print(f"no recovery of {workload} in {environment}")


def document(one: Recovery) -> dict[str, Any]:
    measured = {"rto_seconds": one.rto_seconds, "rpo_seconds": one.rpo_seconds}
    return {**one.model_dump(mode="json", exclude={"source_settings"}), **measured}


def print_recovery(one: Recovery, *, full: bool) -> None:
    colour = {"recovered": "green", "planned": "cyan", "running": "yellow"}.get(one.status, "red")
    what = f"{one.asked.scenario} {one.asked.resource or one.asked.workload}"
    times = f"RTO {_seconds(one.rto_seconds)}, RPO {_seconds(one.rpo_seconds)}"
    out.print(f"{one.id}  {one.began_at:%Y-%m-%d %H:%M}  [{colour}]{one.status}[/]  {escape(what)}  {times}")
    for why in one.why:
        out.print(f"  {escape(why)}")
    if not full:
        return
    if one.expected_rto_seconds:
        half, most = one.expected_rto_seconds
        out.print(f"  expected: {half:.0f} s, at most {most:.0f} s in 19 of 20 (from those before)")
    for step in one.steps:
        mark = "[green]done[/]" if step.done_at else "    "
        out.print(f"  {mark} {escape(step.text)}{escape(f' → {step.result}') if step.result else ''}")
        if step.destroys:
            out.print(f"       [yellow]overwrites[/] {escape(step.destroys)}")
    for finding in one.findings[:LISTED]:
        out.print(f"  {finding.loss:8} {escape(finding.name)}")
    if len(one.findings) > LISTED:
        out.print(f"  ... {len(one.findings)} in all; --json lists them")
    if one.left_to_people:
        out.print(f"  left to you: {escape(', '.join(one.left_to_people))}")


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else f"{seconds:.0f} s"


def _aws(in_sandbox: bool) -> Aws:
    if in_sandbox:
        use_sandbox()
    return Aws()


def _ledger(aws: Aws, stack: str) -> DynamoDBRecoveries:
    from selfright.adapters.recoveries import DynamoDBRecoveries

    return DynamoDBRecoveries(aws, stack_outputs(aws, stack, "LedgerTable")[0])


def _follow(ledger: DynamoDBRecoveries, recovery: str) -> Recovery:
    """Wait until it is closed and cleaned up, telling each step once."""
    told: set[str] = set()
    while True:
        one = ledger.find(recovery)
        for step in one.steps if one else ():
            if step.done_at and step.act not in told:
                told.add(step.act)
                out.print(f"  {escape(step.text)} → {escape(step.result)}")
        if one and one.cleaned_at:
            return one
        time.sleep(LOOK_EVERY)


def _end(one: Recovery) -> None:
    """Exit code 1 where it is neither planned nor recovered."""
    print_recovery(one, full=True)
    if one.status not in {"planned", "recovered"}:
        raise typer.Exit(1)
