"""`selfright deploy`: ask for a release, follow it, take it back, mend what was left half-way."""

from __future__ import annotations

import getpass
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.place import ROOT, AsJson, InSandbox, StackName, stack_outputs, use_sandbox
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BadInputError, NotFoundError, RefusedError
from selfright.domain.manifest import Environment
from selfright.domain.release import ReleaseFile, ReleaseStatus

app = typer.Typer(help="Releases: ask for one, follow it, take it back.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)

LOOK_EVERY = 1.0  # seconds

Workload = Annotated[str, typer.Option(help="Name of the workload.")]
InEnvironment = Annotated[str, typer.Option("--environment", help="development, staging or production.")]
Reason = Annotated[str, typer.Option(help="Why; it is on record and told to people.")]
Follow = Annotated[bool, typer.Option("--follow", help="Until it is over.")]


@app.command()
def start(
    request: Annotated[Path, typer.Argument(help="A release request as JSON, see docs/deploy.md.")],
    follow: Follow = False,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Ask for a release; the same request twice is one release."""
    from selfright.edge.deployment_request import deployment_request

    try:
        asked = deployment_request(json.loads(request.read_text()))
    except (OSError, ValueError) as error:
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
        found = list(_ledger(aws, stack).releases(workload, Environment.parse(environment), 20))
        if as_json:
            out.print_json(data={"releases": [one.model_dump(mode="json") for one in found]})
        else:
            out.print(releases_table(found) if found else f"no release of {workload} in {environment}")
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
    release_id: str,
    reason: Reason,
    follow: Follow = False,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Stop a release that is on its way, or take back one that is live."""
    aws = _aws(in_sandbox)
    _ledger(aws, stack).release(release_id)
    execution = _start_roll_back(aws, stack, release_id, reason)
    out.print(f"release {release_id} goes back")
    if follow:
        _taken_back(_follow(aws, stack, release_id, execution))


@app.command()
def unstick(
    reason: Reason,
    workload: Workload = "opportunity-analysis",
    environment: InEnvironment = "development",
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
) -> None:
    """Take back what a dead execution left half-way; else take weights off aliases that nobody looks after."""
    aws = _aws(in_sandbox)
    unfinished = {ReleaseStatus.RUNNING, ReleaseStatus.ROLLING_BACK, ReleaseStatus.ROLLBACK_FAILED}
    found = _ledger(aws, stack).releases(workload, Environment.parse(environment), 20)
    # A failed roll-back that a later release has made good is nobody's concern any more.
    newest = next((one for one in found if one.status is not ReleaseStatus.REFUSED), None)
    if newest and newest.status is ReleaseStatus.RUNNING and _runs(aws, stack, newest.id):
        raise RefusedError(
            f"{newest.id} is on its way; `selfright deploy roll-back {newest.id}` takes it back"
        )
    if newest and newest.status in unfinished:
        execution = _start_roll_back(aws, stack, newest.id, reason)
        _taken_back(_follow(aws, stack, newest.id, execution))
        return
    cleared = _clear_weights(aws, stack, workload, environment)
    for key, version in cleared.items():
        out.print(f"{key}: all requests go to version {version} now")
    if not cleared:
        out.print(f"nothing of {workload} in {environment} is half-way")


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


def _start_roll_back(aws: Aws, stack: str, release_id: str, reason: str) -> str:
    """The execution's ARN."""
    machine = stack_outputs(aws, stack, "RollBackArn")[0]
    given = {"release_id": release_id, "reason": reason, "actor": getpass.getuser()}
    with translated(f"rolling back {release_id}"):
        started = aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(given)
        )
    return str(started["executionArn"])


def _clear_weights(aws: Aws, stack: str, workload: str, environment: str) -> dict[str, str]:
    from selfright.adapters.clock import SystemClock
    from selfright.adapters.functions import LambdaFunctions
    from selfright.adapters.leases import DynamoDBLeases
    from selfright.adapters.manifest_files import load_workload
    from selfright.adapters.versions import LambdaVersions
    from selfright.usecases.unstick_aliases import unstick_aliases

    return unstick_aliases(
        load_workload(ROOT / "workloads" / workload, environment),
        getpass.getuser(),
        functions=LambdaFunctions(aws),
        versions=LambdaVersions(aws),
        leases=DynamoDBLeases(aws, stack_outputs(aws, stack, "LedgerTable")[0]),
        clock=SystemClock(),
    )


def _runs(aws: Aws, stack: str, release_id: str) -> bool:
    machine = stack_outputs(aws, stack, "DeployArn")[0]
    return _under_way(aws, f"{machine.replace(':stateMachine:', ':execution:')}:{release_id}")


def _under_way(aws: Aws, execution: str) -> bool:
    try:
        with translated(f"reading {execution}"):
            found = aws.client("stepfunctions").describe_execution(executionArn=execution)
    except NotFoundError:
        return False
    return bool(found["status"] == "RUNNING")


def _follow(aws: Aws, stack: str, release_id: str, execution: str | None = None) -> ReleaseFile:
    """Print every new line until the release is over, and so is `execution`: a release to take back may be over now."""
    from cli.release_log import log_line

    ledger, known = _ledger(aws, stack), set[str]()
    while True:
        works = execution is not None and _under_way(aws, execution)
        file: ReleaseFile = ledger.file(release_id)
        for line in file.log:
            if line.key not in known:
                known.add(line.key)
                out.print(log_line(line, (line.at - file.release.requested_at).total_seconds()))
        if file.release.over and not works:
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
