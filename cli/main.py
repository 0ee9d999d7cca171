"""`selfright`: exit code 0 ok, 1 refused or failed, 2 bad input with the field named."""

from __future__ import annotations

import signal
import sys
from typing import Any

import typer

from cli import (
    alarm,
    backup,
    demo,
    deploy,
    incidents,
    judge,
    recovery,
    report,
    runbooks,
    sandbox,
    switches,
    workload,
)
from cli.explain import explain
from cli.replay import replay

app = typer.Typer(
    help="Serverless applications on AWS that right themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(demo.app, name="demo")
app.add_typer(deploy.app, name="deploy")
app.add_typer(incidents.app, name="incidents")
app.add_typer(runbooks.app, name="runbooks")
app.add_typer(switches.app, name="switches")
app.add_typer(alarm.app, name="alarm")
app.add_typer(judge.app, name="judge")
app.add_typer(report.app, name="report")
app.add_typer(backup.app, name="backup")
app.add_typer(recovery.app, name="recovery")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(workload.app, name="workload")
app.command()(explain)
app.command()(replay)


def main() -> None:
    """Run the command line; errors of ours become one line and an exit code."""
    from sandbox.server import SandboxError
    from selfright.domain.errors import BadInputError, SelfrightError

    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        app()
    except BadInputError as error:
        _end(f"bad input: {error}", 2)
    except (SelfrightError, SandboxError) as error:
        _end(str(error), 1)
    except KeyboardInterrupt:
        _end("stopped", 1)


def _end_in_order(number: int, _frame: Any) -> None:
    """End in order, as with Ctrl-C, so that a sandbox is taken down; a second one does not disturb that."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)  # as a shell tells it


def _end(message: str, code: int) -> None:
    sys.stderr.write(f"selfright: {message}\n")
    sys.exit(code)
