"""`selfright deploy`: ask for a release, follow it, take it back, mend what was left half-way."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.place import ROOT, AsJson, InSandbox, StackName, stack_outputs, use_sandbox
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BadInputError, NotFoundError, RefusedError
from selfright.domain.manifest import Environment
from selfright.domain.release import LogLine, Milestone, Release, ReleaseFile, ReleaseStatus, StopReason

app = typer.Typer(help="Releases: ask for one, follow it, take it back.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)

LOOK_EVERY = 1.0  # seconds

Workload = Annotated[str, typer.Option(help="Name of the workload.")]
InEnvironment = Annotated[str, typer.Option("--environment", help="development, staging or production.")]
Reason = Annotated[str, typer.Option(help="Why; it is on record and told to people.")]
Skip = Annotated[
    list[str] | None,
    typer.Option(
        help="Resource that CloudFormation gives up on; nobody puts it right then but you. Repeatable."
    ),
]
Follow = Annotated[bool, typer.Option("--follow", help="Until it is over.")]


@app.command()
def start(
    request: Annotated[Path, typer.Argument(help="A release request as JSON, see docs/deploy.md.")],
    follow: Follow = False,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Ask for a release; the same request twice is one release."""
    from selfright.edge.deployment_request import request_in

    try:
        asked = request_in(request.read_bytes())
    except OSError as error:
        raise BadInputError("REQUEST", f"must be a JSON file ({error})") from None
    aws = _aws(in_sandbox)
    answer = _invoke(aws, stack_outputs(aws, stack, "RequestReleaseArn")[0], asked.model_dump_json())
    out.print(f"release {answer['release_id']}: {answer['status']}")
    if follow:
        _end(_follow(aws, stack, asked.release_id))


@app.command()
def status(
    release_id: Annotated[str | None, typer.Argument(help="The newest ones where none is named.")] = None,
    follow: Follow = False,
    workload: Workload = "opportunity-analysis",
    environment: InEnvironment = "development",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """How a release goes, step by step; or a list of the newest ones."""
    from cli.release_log import log_lines, releases_table

    aws = _aws(in_sandbox)
    if release_id is None:
        ledger, where = _ledger(aws, stack), Environment.parse(environment)
        found, mended = list(ledger.releases(workload, where, 20)), ledger.mendings(workload, where, 5)
        if as_json:
            told = {"releases": found, "mendings": mended}
            out.print_json(data={k: [one.model_dump(mode="json") for one in v] for k, v in told.items()})
        else:
            out.print(releases_table(found) if found else f"no release of {workload} in {environment}")
            for line in mended:
                out.print(f"{line.at:%Y-%m-%d %H:%M:%S} put right by {line.text}")
    elif follow and not as_json:
        _end(_follow(aws, stack, release_id))
    else:
        file = _ledger(aws, stack).file(release_id)
        if as_json:
            out.print_json(data=file.model_dump(mode="json"))
        else:
            for line in log_lines(file):
                out.print(line)


@app.command("roll-back")
def roll_back(
    reason: Reason,
    release_id: Annotated[str | None, typer.Argument(help="The release that goes back.")] = None,
    to: Annotated[
        str | None, typer.Option(help="Instead: the earlier release whose versions are to be live again.")
    ] = None,
    follow: Follow = False,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Stop a release that is on its way, take back one that is live, or go back to an earlier one by its name."""
    aws = _aws(in_sandbox)
    if (release_id is None) == (to is None):
        raise BadInputError("RELEASE_ID", "must be given, or --to an earlier release; not both")
    going = _ledger(aws, stack).release(release_id) if release_id else _makes_way(aws, stack, str(to))
    execution = _start_roll_back(aws, stack, going.id, reason, to)
    out.print(f"release {going.id} goes back" + (f" to what {to} left live" if to else ""))
    if follow:
        file = _follow(aws, stack, going.id, lambda _: not _running(aws, execution))
        _taken_back(file)


@app.command()
def unstick(
    reason: Reason,
    skip: Skip = None,
    workload: Workload = "opportunity-analysis",
    environment: InEnvironment = "development",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Let a stuck stack go on, take back what a dead execution left half-way, or take weights off aliases."""
    aws = _aws(in_sandbox)
    unfinished = {ReleaseStatus.RUNNING, ReleaseStatus.ROLLING_BACK, ReleaseStatus.ROLLBACK_FAILED}
    found = _ledger(aws, stack).releases(workload, Environment.parse(environment), 20)
    # A failed roll-back that a later release has made good is nobody's concern any more.
    newest = next((one for one in found if one.status is not ReleaseStatus.REFUSED), None)
    if newest and newest.status is ReleaseStatus.RUNNING and _runs(aws, stack, newest.id):
        raise RefusedError(
            f"{newest.id} is on its way; `selfright deploy roll-back {newest.id}` takes it back"
        )
    mend = _mending(_ledger(aws, stack), workload, environment, reason)
    mend("begins" + (f", giving up on {', '.join(skip)}" if skip else ""))
    done = _go_on(aws, workload, environment, skip or [])
    if newest and newest.status in unfinished:
        mend("; ".join(filter(None, [done, f"{newest.id} is rolled back"])))
        execution = _start_roll_back(aws, stack, newest.id, reason)
        _taken_back(_follow(aws, stack, newest.id, lambda _: not _running(aws, execution)))
        return
    cleared = {} if done else _clear_weights(aws, stack, workload, environment)
    told = [f"{key}: all requests go to version {version} now" for key, version in cleared.items()]
    if done:
        told = [done]
    for line in told:
        out.print(line)
    if not told:
        out.print(f"nothing of {workload} in {environment} is half-way")
    mend("; ".join(told) or "nothing was half-way")


def _aws(in_sandbox: bool) -> Aws:
    if in_sandbox:
        use_sandbox()
    return Aws()


def _ledger(aws: Aws, stack: str) -> Any:
    from selfright.adapters.releases import DynamoDBReleaseLedger

    return DynamoDBReleaseLedger(aws, stack_outputs(aws, stack, "LedgerTable")[0])


def _invoke(aws: Aws, function: str, payload: str) -> dict[str, Any]:
    with translated(f"calling {function}"):
        answer = aws.client("lambda").invoke(FunctionName=function, Payload=payload)
    told: dict[str, Any] = json.load(answer["Payload"])
    if answer.get("FunctionError"):
        raise RefusedError(str(told.get("errorMessage", "the request was not taken")))
    return told


def _start_roll_back(aws: Aws, stack: str, release_id: str, reason: str, to: str | None = None) -> str:
    """The execution's ARN."""
    from selfright.domain.release.steps import NOBODY, RollBackInput

    given = RollBackInput(
        release_id=release_id,
        reason=reason,
        actor=getpass.getuser(),
        cause=StopReason.BY_HAND,
        to=to or NOBODY,
    )
    machine = stack_outputs(aws, stack, "RollBackArn")[0]
    with translated(f"rolling back {release_id}"):
        started = aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=given.model_dump_json()
        )
    return str(started["executionArn"])


def _makes_way(aws: Aws, stack: str, to: str) -> Release:
    """The live release that goes back to an earlier one. Raises RefusedError, in words, where there is no way."""
    from selfright.adapters.functions import LambdaFunctions
    from selfright.adapters.versions import LambdaVersions
    from selfright.usecases.named_way_back import live_now, towards

    ledger = _ledger(aws, stack)
    live = live_now(ledger.release(to), releases=ledger, functions=LambdaFunctions(aws))
    return towards(live, to, releases=ledger, versions=LambdaVersions(aws))


def _mending(ledger: Any, workload: str, environment: str, reason: str) -> Callable[[str], None]:
    """Keeps what this person does, and why, as one line of the ledger: before it is done, and with what came of it."""
    at, actor = datetime.now(UTC), getpass.getuser()

    def note(what: str) -> None:
        text = f"{actor}: {reason}: {what}"
        line = LogLine(key=at.isoformat(), at=at, milestone=Milestone.UNSTUCK, text=text)
        ledger.note_mending(workload, str(Environment.parse(environment)), line)

    return note


def _go_on(aws: Aws, workload: str, environment: str, skip: list[str]) -> str | None:
    from selfright.adapters.manifest_files import load_workload
    from selfright.adapters.stacks import CloudFormationStacks
    from selfright.usecases.unstick_stack import unstick_stack

    found = load_workload(ROOT / "workloads" / workload, environment)
    return unstick_stack(found, skip, stacks=CloudFormationStacks(aws))


def _clear_weights(aws: Aws, stack: str, workload: str, environment: str) -> dict[str, str]:
    from selfright.adapters.clock import SystemClock
    from selfright.adapters.functions import LambdaFunctions
    from selfright.adapters.leases import DynamoDBLeases
    from selfright.adapters.manifest_files import load_workload
    from selfright.adapters.state_machines import StepFunctionsStateMachines
    from selfright.adapters.versions import LambdaVersions
    from selfright.usecases.unstick_aliases import unstick_aliases

    table, machine = stack_outputs(aws, stack, "LedgerTable", "DeployArn")
    return unstick_aliases(
        load_workload(ROOT / "workloads" / workload, environment),
        getpass.getuser(),
        functions=LambdaFunctions(aws),
        versions=LambdaVersions(aws),
        state_machines=StepFunctionsStateMachines(aws, f"{machine.rpartition(':')[0]}:"),
        leases=DynamoDBLeases(aws, table),
        clock=SystemClock(),
    )


def _runs(aws: Aws, stack: str, release_id: str) -> bool:
    machine = stack_outputs(aws, stack, "DeployArn")[0]
    return _running(aws, f"{machine.replace(':stateMachine:', ':execution:')}:{release_id}")


def _running(aws: Aws, execution: str) -> bool:
    try:
        with translated(f"reading {execution}"):
            found = aws.client("stepfunctions").describe_execution(executionArn=execution)
    except NotFoundError:
        return False
    return bool(found["status"] == "RUNNING")


def _over(release: Release) -> bool:
    return release.over


def _follow(aws: Aws, stack: str, release_id: str, ended: Callable[[Release], bool] = _over) -> ReleaseFile:
    """Print every new line until that is so; by itself, until the release is over."""
    from cli.release_log import log_line

    ledger, known = _ledger(aws, stack), set[str]()
    while True:
        end = ended(ledger.release(release_id))  # before the log is read: no line is missed
        file: ReleaseFile = ledger.file(release_id)
        for line in file.log:
            if line.key not in known:
                known.add(line.key)
                out.print(log_line(line, (line.at - file.release.requested_at).total_seconds()))
        if end:
            return file
        time.sleep(LOOK_EVERY)


def _taken_back(file: ReleaseFile) -> None:
    """Exit code 1 where the release is not taken back."""
    if file.release.status not in {ReleaseStatus.ROLLED_BACK, ReleaseStatus.REFUSED}:
        raise typer.Exit(1)


def _end(file: ReleaseFile) -> None:
    """Exit code 1 where the release is not live."""
    if file.release.status is not ReleaseStatus.COMPLETED:
        raise typer.Exit(1)
