"""`selfright demo release` and `bad-release`: a release that judges itself, on the local AWS, while you watch."""

from __future__ import annotations

import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.place import ROOT, AsJson
from cli.release_log import log_line
from sandbox.release_rehearsal import SCALE, Outcome, Watcher, rehearse
from selfright.domain.release import LogLine, Milestone, ReleaseStatus

TimeScale = Annotated[
    float, typer.Option(min=4, max=20, help="How much faster than the wall clock the sandbox's time runs.")
]


class Fault(StrEnum):
    """What is wrong with the release."""

    ERRORS_30 = "errors-30"
    ERRORS_5 = "errors-5"
    CONFIGURATION = "configuration"
    LATENCY = "latency"
    SMOKE = "smoke"
    BAKE_ALARM = "bake-alarm"
    INFRASTRUCTURE = "infrastructure"


def release(time_scale: TimeScale = SCALE, as_json: AsJson = False) -> None:
    """A good release of three functions, shifted and judged step by step under users' requests."""
    _show("good", ReleaseStatus.COMPLETED, time_scale, as_json)


def bad_release(
    fault: Annotated[Fault, typer.Option(help="What is wrong with it.")] = Fault.ERRORS_30,
    time_scale: TimeScale = SCALE,
    as_json: AsJson = False,
) -> None:
    """A release that is no good: judged, and taken back."""
    build = fault.value if fault in {Fault.ERRORS_30, Fault.ERRORS_5} else "good"
    _show(build, ReleaseStatus.ROLLED_BACK, time_scale, as_json, fault)


def _show(
    build: str, wanted: ReleaseStatus, time_scale: float, as_json: bool, fault: Fault | None = None
) -> None:
    console = Console(soft_wrap=True, highlight=False, stderr=as_json)
    began = time.monotonic()
    home = ROOT / ".selfright"
    home.mkdir(exist_ok=True)

    def step(what: str, seconds: float) -> None:
        took = f" [dim]{seconds:.1f} s[/]" if seconds >= 0.1 else ""  # noqa: PLR2004 - not worth telling
        console.print(f"[green]✓[/] {what}{took}")

    def line(line: LogLine, seconds: float) -> None:
        console.print(log_line(line, seconds))

    with tempfile.TemporaryDirectory(prefix="demo-", dir=home) as folder:
        outcome = rehearse(
            build,
            Path(folder),
            Watcher(step, line),
            time_scale,
            template=fault if fault is Fault.INFRASTRUCTURE else None,
            bake_alarm=fault is Fault.BAKE_ALARM,
            broken_configuration=fault is Fault.CONFIGURATION,
        )
    facts = report(outcome, time.monotonic() - began)
    if as_json:
        Console(soft_wrap=True).print_json(data=facts)
    else:
        _print(console, facts)
    if outcome.file.release.status is not wanted or outcome.weights_left:
        raise typer.Exit(1)


def report(outcome: Outcome, total_seconds: float) -> dict[str, Any]:
    """The demo as JSON. Seconds are of the wall: waits are shortened by `time_scale`, work is not."""
    release = outcome.file.release

    def seconds(start: Any, end: Any) -> float | None:
        return round((end - start).total_seconds() / outcome.scale, 3) if start and end else None

    return {
        "release": {
            "id": release.id,
            "status": release.status,
            "stop": release.stop,
            "why": release.why,
            "versions": {
                f.key: {"before": f.before.version, "candidate": f.candidate, "live": outcome.versions[f.key]}
                for f in release.functions
            },
            "configurations": {
                c.key: {
                    "before": c.before,
                    "candidate": c.candidate,
                    "live": outcome.configurations[c.key],
                }
                for c in release.configuration
            },
        },
        "requests": {
            "total": outcome.requests.total,
            "failed": outcome.requests.failed,
            "errors": outcome.requests.errors,
        },
        "seconds": {
            "asked_to_first_shift": seconds(outcome.asked_at, release.shifts[0] if release.shifts else None),
            "shift_to_evidence": seconds(release.shifts[0] if release.shifts else None, release.evidence_at),
            "evidence_to_restored": seconds(release.evidence_at, release.restored_at),
            "asked_to_over": seconds(outcome.asked_at, release.closed_at),
            "total": round(total_seconds, 1),
        },
        "stack": release.stack.model_dump(mode="json", include={"name", "began_at", "done_at", "restored_at"})
        if release.stack
        else None,
        "weights_left": outcome.weights_left,
        "verdicts": [
            {"step": line.key, "text": line.text, **line.detail}
            for line in outcome.file.log
            if line.milestone in {Milestone.JUDGED, Milestone.STOPPED} and line.detail
        ],
        "time_scale": outcome.scale,
        "log": [line.model_dump(mode="json") for line in outcome.file.log],
    }


def _print(console: Console, facts: dict[str, Any]) -> None:
    release, requests, seconds = facts["release"], facts["requests"], facts["seconds"]
    good = release["status"] == ReleaseStatus.COMPLETED
    console.print(f"\n[bold]{release['id']} [{'green' if good else 'yellow'}]{release['status']}[/][/]")
    console.print(f"  requests of users: {requests['total']}, failed {requests['failed']}")
    if seconds["evidence_to_restored"] is not None:
        shifted = seconds["shift_to_evidence"]
        seen = f"first shift to evidence {shifted} s" if shifted is not None else "nobody was sent to it"
        console.print(
            f"  {seen}, evidence to restored {seconds['evidence_to_restored']} s"
            f" [dim](waits {facts['time_scale']:g} times faster than on AWS)[/]"
        )
    console.print(f"  aliases between versions: {facts['weights_left']}; {seconds['total']} s in all")
