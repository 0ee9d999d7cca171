"""`selfright judge`: replay a verdict on a release from its numbers, without an account."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from selfright.domain.canary import Counts, CountsRuling, LatencyPoint, LatencyRuling, Plan

BAD_INPUT = 2  # exit code
MOST_GATES = 1000  # the plan's own limit
MOST_POINTS = 1440  # a day of minutes

app = typer.Typer(no_args_is_help=True)
Gates = Annotated[int, typer.Option("--gates", metavar="K", help="Looks planned in all; they share alpha.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


class _InputError(Exception):
    """The message names the field and the rule that it breaks."""


@app.callback()
def judge() -> None:
    """Ask whether a new version is worse than the one beside it. docs/judging.md says how it is decided."""


@app.command()
def counts(
    control: Annotated[
        str, typer.Option("--control", metavar="E/N", help="Errors/calls of the live version.")
    ],
    canary: Annotated[str, typer.Option("--canary", metavar="E/N", help="Errors/calls of the new version.")],
    gates: Gates = 1,
    alpha: Annotated[
        str, typer.Option("--alpha", metavar="A", help="False rollbacks allowed to all gates together.")
    ] = "0.001",
    max_error_rate: Annotated[
        str, typer.Option("--max-error-rate", metavar="P", help="Whoever fails more often never passes.")
    ] = "0.05",
    as_json: AsJson = False,
) -> None:
    """Judge errors at one gate. The exit code is 0 whatever the verdict."""
    from selfright.domain.canary import judge_counts

    try:
        plan = _plan(
            gates, alpha=_share("--alpha", alpha), max_error_rate=_share("--max-error-rate", max_error_rate)
        )
        ruling = judge_counts(_counts("--control", control), _counts("--canary", canary), plan, gate=1)
    except _InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_INPUT) from None
    _tell(ruling, as_json)


@app.command()
def latency(
    control_file: Annotated[
        Path,
        typer.Argument(
            metavar="CONTROL.json",
            help='Latency of each minute: [120.5, {"value": 98, "cold_start": true}, ...].',
        ),
    ],
    canary_file: Annotated[Path, typer.Argument(metavar="CANARY.json", help="The same of the new version.")],
    gates: Gates = 1,
    alpha: Annotated[
        str, typer.Option("--alpha", metavar="A", help="False rollbacks allowed to all gates together.")
    ] = "0.001",
    as_json: AsJson = False,
) -> None:
    """Judge per-minute latencies at one gate. The exit code is 0 whatever the verdict."""
    from selfright.domain.canary import judge_latency

    try:
        plan = _plan(gates, alpha_latency=_share("--alpha", alpha))
        ruling = judge_latency(_points(control_file), _points(canary_file), plan, gate=1)
    except _InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_INPUT) from None
    _tell(ruling, as_json)


def _plan(gates: int, **shares: float) -> Plan:
    from selfright.domain.canary import Plan

    if not 1 <= gates <= MOST_GATES:
        raise _InputError(f"--gates: must be from 1 to {MOST_GATES}, not {gates}")
    return Plan.model_validate({"gates": gates, **shares})


def _share(option: str, written: str) -> float:
    try:
        share = float(written)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise _InputError(f"{option}: must be a number above 0 and below 1, not {written!r}")
    return share


def _counts(option: str, written: str) -> Counts:
    from selfright.domain.canary import Counts

    match = re.fullmatch(r"([0-9]{1,10})/([0-9]{1,10})", written, re.ASCII)
    if not match:
        raise _InputError(
            f"{option}: must be errors/calls in whole numbers from 0, such as 3/120, not {written!r}"
        )
    errors, invocations = int(match[1]), int(match[2])
    if errors > invocations:
        raise _InputError(f"{option}: errors must not exceed calls, {errors} are more than {invocations}")
    return Counts(errors=errors, invocations=invocations)


def _points(file: Path) -> list[LatencyPoint]:
    def refuse(constant: str) -> NoReturn:
        raise _InputError(f"{file}: {constant} is no JSON number")

    try:
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)
    except OSError as error:
        raise _InputError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise _InputError(f"{file}: is not JSON: {error}") from None
    if not isinstance(content, list) or not 1 <= len(content) <= MOST_POINTS:
        raise _InputError(f"{file}: must be a list of 1 to {MOST_POINTS} latencies, one per minute")
    return [_point(entry, f"{file}: [{place}]") for place, entry in enumerate(content)]


def _point(entry: Any, field: str) -> LatencyPoint:
    from selfright.domain.canary import LatencyPoint

    cold_start = False
    if isinstance(entry, dict):
        if unknown := sorted(entry.keys() - {"value", "cold_start", "timestamp"}):
            raise _InputError(f"{field}.{unknown[0]}: is not known")
        cold_start = entry.get("cold_start", False)
        if not isinstance(cold_start, bool):
            raise _InputError(f"{field}.cold_start: must be true or false")
        entry, field = entry.get("value"), f"{field}.value"
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        raise _InputError(f"{field}: must be a number")
    try:
        value = float(entry)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value) or value < 0:
        raise _InputError(f"{field}: must be a finite number from 0")
    return LatencyPoint(value=value, cold_start=cold_start)


def _tell(ruling: CountsRuling | LatencyRuling, as_json: bool) -> None:
    if as_json:
        fields = ruling.model_dump(mode="json")
        shown = ("verdict", "p_value", "threshold", "n_min", "reason", "shift", "floor")
        typer.echo(json.dumps({name: fields[name] for name in shown if name in fields}, indent=2))
        return
    typer.echo(f"{ruling.verdict}: {ruling.reason}")
    p_value = "none" if ruling.p_value is None else f"{ruling.p_value:.3g}"
    typer.echo(
        f"p-value {p_value}, fails at {ruling.threshold:.3g} and below; passes from {ruling.n_min} a side"
    )
