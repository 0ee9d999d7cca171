"""`selfright replay`: recorded signals through the policies as they stand, and what another version made of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from cli.events import Policies, read_event
from cli.explain import InEnvironment, WorkloadRoot
from cli.place import ROOT, AsJson
from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError, NotFoundError
from selfright.domain.gates import Verdict
from selfright.usecases.explain_signal import Explanation, Would

out = Console(soft_wrap=True, highlight=False)
FAILED = 1  # exit code
SECONDS = 300  # for the other version to replay the same
SAID = 200  # characters of its last words


class Decision(BaseModel):
    """What came of one recorded event; `refused` says why it was not taken for a signal."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # another version may tell more

    file: str
    accepted: bool
    refused: str | None = None
    state: str | None = None
    workload: str | None = None
    resource: str | None = None
    runbook: str | None = None
    would: str | None = None
    say: str | None = None
    stopped_by: tuple[str, ...] = ()

    @property
    def acts(self) -> bool:
        return self.would == Would.ACT

    @property
    def matched_nothing(self) -> bool:
        return self.state == State.ALARM and self.runbook is None


def decide(files: Iterable[Path], root: Path, policies: Policies) -> list[Decision]:
    """One decision per file; `root` is what file names are relative to."""
    found = []
    for path in files:
        name = path.relative_to(root).as_posix()
        try:
            explanation = policies.explain(read_event(path))
        except BadInputError as error:
            found.append(Decision(file=name, accepted=False, refused=str(error).replace(f"{root}/", "")))
        else:
            found.append(_decision(name, explanation))
    return found


def replay(
    recorded: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="Recorded events: *.json below DIR.")],
    against: Annotated[
        str | None, typer.Option("--against", metavar="REF", help="Git revision to compare with.")
    ] = None,
    workload_root: WorkloadRoot = ROOT / "workloads",
    environment: InEnvironment = None,
    as_json: AsJson = False,
) -> None:
    """Replay recorded signals through the current policies. Fails where none of them finds a runbook."""
    if not recorded.exists():
        raise BadInputError("FILE|DIR", f"{recorded} must exist")
    recorded = recorded.resolve()
    files = sorted(recorded.rglob("*.json")) if recorded.is_dir() else [recorded]
    if not files:
        raise BadInputError("FILE|DIR", f"{recorded} must hold events, *.json")
    root = recorded if recorded.is_dir() else recorded.parent
    now = decide(files, root, Policies(ROOT / "runbooks", workload_root, environment))
    summary: dict[str, Any] = {
        "signals": sum(d.accepted for d in now),
        "refused": sum(not d.accepted for d in now),
        "acted": sum(d.acts for d in now),
        "matched_nothing": [d.file for d in now if d.matched_nothing],
        "decisions": [d.model_dump() for d in now],
    }
    if against is not None:
        summary["difference"] = difference(_decided_by(against, recorded, environment), now) | {
            "against": against
        }
    if as_json:
        out.print_json(data=summary)
    else:
        _print(now, summary)
    if not any(d.runbook for d in now):
        raise typer.Exit(FAILED)


def difference(before: Sequence[Decision], after: Sequence[Decision]) -> dict[str, Any]:
    """What `after` decides otherwise than `before`, by file."""
    old = {d.file: d for d in before}
    both = [(old[d.file], d) for d in after if d.file in old]
    return {
        "newly_acted": [b.file for a, b in both if b.acts and not a.acts],
        "no_longer_acted": [b.file for a, b in both if a.acts and not b.acts],
        "changed": [
            {"file": b.file, "before": _word(a), "after": _word(b)} for a, b in both if _word(a) != _word(b)
        ],
    }


def _decision(name: str, seen: Explanation) -> Decision:
    return Decision(
        file=name,
        accepted=True,
        state=seen.signal.state,
        workload=seen.signal.workload,
        resource=seen.signal.resource,
        runbook=seen.runbook,
        would=seen.would,
        say=seen.say,
        stopped_by=tuple(g.gate for g in seen.gates if g.verdict is not Verdict.GO),
    )


def _word(decision: Decision) -> str:
    if not decision.accepted:
        return "refused"
    return (
        f"{decision.would} ({decision.runbook or 'no runbook'}; {', '.join(decision.stopped_by) or 'all go'})"
    )


def _decided_by(revision: str, recorded: Path, environment: str | None) -> list[Decision]:
    """The decisions of another version, made by its own program with its own runbooks and workloads.

    Raises NotFoundError where there is no such revision, or it cannot replay.
    """
    with tempfile.TemporaryDirectory(prefix="selfright-replay-") as folder:
        # What begins with a dash is no option but a revision that does not exist.
        packed = subprocess.run(  # noqa: S603 - no shell
            ["git", "-C", str(ROOT), "archive", "--format=zip", "--end-of-options", f"{revision}^{{commit}}"],  # noqa: S607
            capture_output=True,
            check=False,
        )
        if packed.returncode:
            raise NotFoundError(f"there is no revision {revision}: {packed.stderr.decode().strip()}")
        with zipfile.ZipFile(BytesIO(packed.stdout)) as archive:
            archive.extractall(folder)
        command = [
            sys.executable,
            "-c",
            "from cli.main import main; main()",
            "replay",
            str(recorded),
            "--json",
        ]
        place = {"PYTHONPATH": os.pathsep.join([f"{folder}/layers/core", folder]), "PYTHONSAFEPATH": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                [*command, *(["--environment", environment] if environment else [])],
                cwd=folder,
                env={**os.environ, **place},
                capture_output=True,
                check=False,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise NotFoundError(f"revision {revision} did not replay within {SECONDS} s") from None
        try:
            return [Decision.model_validate(d) for d in json.loads(done.stdout)["decisions"]]
        except (ValueError, KeyError, TypeError):
            raise NotFoundError(f"revision {revision} cannot replay: ...{_last_words(done.stderr)}") from None


def _last_words(stderr: bytes) -> str:
    """The end of what a command line said, without the frame that is drawn around it."""
    return " ".join(re.sub(r"[^ -~]+", " ", stderr.decode()).split())[-SAID:]


def _print(now: Sequence[Decision], summary: dict[str, Any]) -> None:
    for one in now:
        out.print(f"{one.would or 'refused':<8} {one.file}", markup=False)
        out.print(f"         {one.say or one.refused}", style="dim", markup=False)
    out.print(
        f"\n{summary['signals']} signals: {summary['acted']} acted on, "
        f"{len(summary['matched_nothing'])} matched nothing; {summary['refused']} refused"
    )
    if found := summary.get("difference"):
        out.print(f"\nagainst {found['against']}")
        for name in ("newly_acted", "no_longer_acted"):
            out.print(f"  {name.replace('_', ' ')}: {', '.join(found[name]) or 'none'}", markup=False)
        for change in found["changed"]:
            out.print(f"  {change['file']}: {change['before']} → {change['after']}", markup=False)
