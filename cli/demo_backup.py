"""`selfright demo backup`: a table's backup restored, compared and proven on the local AWS, or a fault in it found."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cli.place import ROOT, AsJson
from sandbox.restore_rehearsal import SCALE, RestoreRehearsal, rehearse_restore
from selfright.domain.backup.restore_test import Plant

COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}

Fault = Annotated[Plant | None, typer.Option(help="Put this fault into the restored copy: it must be found.")]
TimeScale = Annotated[
    float, typer.Option(min=4, max=30, help="How much faster than the wall clock the sandbox's time runs.")
]


def backup(fault: Fault = None, time_scale: TimeScale = SCALE, as_json: AsJson = False) -> None:
    """Restore a table from its newest recovery point and prove the copy; with --fault, find what is wrong with it.

    Exit code 0: PASS without a fault, FAIL with one, and nothing left behind.
    """
    console = Console(soft_wrap=True, highlight=False, stderr=as_json)
    began = time.monotonic()
    home = ROOT / ".selfright"
    home.mkdir(exist_ok=True)
    console.print(
        "[bold]Selfright demo backup[/] [dim]the real template and state machine on a local AWS[/]\n"
    )

    def step(what: str, seconds: float) -> None:
        console.print(f"[green]✓[/] {what} [dim]{seconds:.1f} s[/]")

    with tempfile.TemporaryDirectory(prefix="demo-", dir=home) as folder:
        result = rehearse_restore(Path(folder), fault, step, time_scale)
    facts = report(result, time.monotonic() - began)
    if as_json:
        Console(soft_wrap=True).print_json(data=facts)
    else:
        _print(console, facts)
    hoped = "FAIL" if fault else "PASS"
    if facts["verdict"] != hoped or facts["left_behind"]:
        raise typer.Exit(1)


def report(result: RestoreRehearsal, total_seconds: float) -> dict[str, Any]:
    """The demo as JSON. `rpo_seconds` and `rto_seconds` are of the sandbox's time, `total_seconds` of the wall."""
    evidence = result.evidence or {}
    checks = {check["name"]: check for check in evidence.get("checks", ())}
    differences = list((evidence.get("comparison") or {}).get("differences", ()))
    differences += [
        {"key": name, "kind": "setting"} for name in checks.get("settings-parity", {}).get("names", ())
    ]
    return {
        "verdict": evidence.get("verdict", "INCONCLUSIVE"),
        "checks": {
            name: {"verdict": check["verdict"], "reason": check["reason"]} for name, check in checks.items()
        },
        "differences": differences,
        "planted": evidence.get("planted"),
        "recovery_point": evidence.get("recovery_point"),
        "rpo_seconds": evidence.get("rpo_seconds"),
        "rto_seconds": evidence.get("rto_seconds"),
        "left_behind": len(result.left_behind),
        "written_meanwhile": result.written_meanwhile,
        "execution": result.status,
        "cause": result.cause,
        "time_scale": result.scale,
        "total_seconds": round(total_seconds, 1),
    }


def _print(console: Console, facts: dict[str, Any]) -> None:
    verdict = facts["verdict"]
    console.print(f"\n[bold {COLOURS[verdict]}]{verdict}[/]")
    for name, check in facts["checks"].items():
        colour = COLOURS[check["verdict"]]
        console.print(f"  [{colour}]{check['verdict']:<12}[/] {name:<23} {escape(check['reason'])}")
    if facts["cause"]:
        console.print(f"  the execution {facts['execution']}: {escape(facts['cause'])}")
    if facts["planted"]:
        console.print(f"  planted on purpose: {escape(facts['planted'])}")
    console.print(
        f"  RPO {facts['rpo_seconds']} s, RTO {facts['rto_seconds']} s [dim]of the sandbox's time[/];"
        f" {facts['written_meanwhile']} writes to the source meanwhile; {facts['left_behind']} tables left behind;"
        f" {facts['total_seconds']} s in all"
    )
