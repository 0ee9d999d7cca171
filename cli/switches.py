"""`selfright switches`: what people change at run time. `stop` is the kill switch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from cli.place import AsJson, InSandbox, StackName, stack_outputs, use_sandbox
from cli.runbooks import FOLDER
from selfright.adapters.aws import Aws
from selfright.adapters.switches import AppConfigSwitchBoard
from selfright.domain.errors import BadInputError, SourceDownError
from selfright.domain.manifest import Autonomy
from selfright.ports import Switches

app = typer.Typer(help="The kill switch, and how much a runbook may do.", no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)

READ_BACK_SECONDS = 60
LONGEST_REASON = 1024  # characters of an AppConfig description

Because = Annotated[str, typer.Option("--because", help="Why; kept with the change in AppConfig.")]


class Board(NamedTuple):
    board: AppConfigSwitchBoard
    strategy: str


@app.command()
def show(in_sandbox: InSandbox = False, stack: StackName = "selfright", as_json: AsJson = False) -> None:
    """How the switches stand, as every gate reads them."""
    _tell(_open(in_sandbox, stack).board.read(), as_json)


@app.command()
def stop(
    because: Because,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """Kill switch: nothing is changed from now on; signals are still recorded and people still told.

    A change that is under way is judged to its end, and undone if it did not help.
    """
    opened = _open(in_sandbox, stack)
    try:
        autonomy = opened.board.read().autonomy
    except SourceDownError as error:
        # It must be possible to stop whatever is deployed there; `go` afterwards starts from the most careful level.
        autonomy = {path.stem: Autonomy.OBSERVE for path in sorted(FOLDER.glob("*.yaml"))}
        out.print(f"{error}\nEvery runbook is set to observe.", style="yellow")
    _throw(opened, Switches(kill_switch=True, autonomy=autonomy), because, as_json)


@app.command()
def go(
    because: Because,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """Kill switch off: the manifest's levels hold again, lowered where `level` lowered them."""
    opened = _open(in_sandbox, stack)
    before = opened.board.read()
    _throw(opened, before.model_copy(update={"kill_switch": False}), because, as_json)


@app.command()
def level(
    runbook: str,
    autonomy: Annotated[str, typer.Argument(metavar="observe|suggest|approve|auto|manifest")],
    because: Because,
    in_sandbox: InSandbox = False,
    stack: StackName = "selfright",
    as_json: AsJson = False,
) -> None:
    """The most that a runbook may do; only ever lowers what the manifest allows. `manifest` takes that back."""
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if runbook not in known:
        raise BadInputError("RUNBOOK", f"must be one of: {', '.join(known)}")
    if autonomy != "manifest" and autonomy not in [a.value for a in Autonomy]:
        raise BadInputError("AUTONOMY", f"must be manifest or one of: {', '.join(Autonomy)}")
    opened = _open(in_sandbox, stack)
    before = opened.board.read()
    others: Mapping[str, Autonomy] = {k: v for k, v in before.autonomy.items() if k != runbook}
    lowered = {} if autonomy == "manifest" else {runbook: Autonomy(autonomy)}
    _throw(opened, before.model_copy(update={"autonomy": {**others, **lowered}}), because, as_json)


def _open(in_sandbox: bool, stack: str) -> Board:
    if in_sandbox:
        use_sandbox()
    aws = Aws()
    found = stack_outputs(
        aws, stack, "SwitchApplication", "SwitchEnvironment", "SwitchProfile", "SwitchStrategy"
    )
    *place, strategy = found
    return Board(AppConfigSwitchBoard(aws, *place), strategy)


def _throw(opened: Board, wanted: Switches, because: str, as_json: bool) -> None:
    """Deploy, and return when the board reads so.

    Raises SourceDownError where it does not within a minute: then nobody knows how the switches stand.
    """
    if not 1 <= len(because.strip()) <= LONGEST_REASON:
        raise BadInputError("--because", f"must say why, in at most {LONGEST_REASON} characters")
    opened.board.throw(wanted, opened.strategy, because)
    for _ in range(READ_BACK_SECONDS):
        if opened.board.read() == wanted:
            return _tell(wanted, as_json)
        time.sleep(1)
    raise SourceDownError(f"the switch board does not read as wanted after {READ_BACK_SECONDS} s; look again")


def _tell(switches: Switches, as_json: bool) -> None:
    if as_json:
        return out.print_json(data=switches.model_dump(mode="json"))
    out.print("STOPPED: nothing is changed" if switches.kill_switch else "go: the gates decide")
    for runbook, autonomy in sorted(switches.autonomy.items()):
        out.print(f"  {runbook}: {autonomy} at most")
    return None
