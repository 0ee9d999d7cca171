"""results.json, and the page docs/reliability.md that is made from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reliability.cases import Mode
from reliability.scenes import Healer, Result

RESULTS = Path(__file__).parent / "results.json"

_FOR_PEOPLE = {"escalated", "rollback_failed", "INCONCLUSIVE", "failed", "no end"}
_MODES = {
    Mode.FAIL: "one request is answered with the service's own failure; it is not carried out",
    Mode.THROTTLE: "the call is throttled, and so is the SDK's retry of it",
    Mode.DELAY: "the call is carried out, but its answer comes later than the SDK waits for it",
    Mode.DOWN: "the call fails whenever it is made, in every repetition of the step",
    Mode.KILL_BEFORE: "the function's process is killed (SIGKILL) before the call is carried out",
    Mode.KILL_AFTER: "it is killed when the call was carried out, before it can see the answer",
}
_HEALERS = {
    Healer.SDK: "the SDK asked again",
    Healer.WAITED: "the answer was late, and waited for",
    Healer.DONE: "what had to be done was done already, or can be done without",
    Healer.STEP: "Step Functions repeated the step",
    Healer.UNKNOWN: "what could not be read counts as unknown, and unknown is not fine: people",
    Healer.CATCH: "the step failed for good: the change is undone or taken back, the end on record, people told",
    Healer.SWEEP: "the execution or the signal was lost, or a lock was left: the sweep found it",
}
_BEGINNING = """\
# Reliability

Each AWS call that `respond`, `deploy` and `verify_backup` make goes wrong in each of these ways, one in each run, on
the real stack: the template as the SAM CLI deploys it to the local AWS, the real handlers in processes of their own,
the real SDK, the real definition. The calls are those of a clean run: nobody wrote the list. `make reliability` plays
it all again.
An empty cell: not possible there, or not played yet.

In every case of an incident: it ends (`resolved`, or `escalated` to people); no change is made twice, by the local
AWS's own record; no lease is left; where the incident is not resolved, the table has its before-values, or people are
told what stands.

In every case of a release: it ends `completed`, with PASS of every gate; or `rolled_back` or `refused`, with every
function at its version from before; or, only where something is down for good, `rollback_failed`, and then people are
told. But for that last end all three functions are on one side, without weights. The lock is free.

In every case of a restore test: no copy is left, by the sweep where need be; the source is as it was; it succeeds
only with PASS on record, and PASS is on record only with all eight checks passed.

In all of them whoever is needed is told, no message lies in the dead-letter queue, no execution is left running.
"""
_END = """\
What this does not show: the other runbook's calls on functions and flags (its crashes are played in memory,
tests/unit/usecases/test_high_error_rate_crashes.py); two faults at once; a step that outlasts its own limit of 75 s.
A late answer is cut short: the SDK here loses patience after 2 s of the wall instead of 10. Of another way through a
state machine, only the calls that the ways above it do not make are played; `undo`, `roll_back` and `verify_backup`
only fail for good or are killed. A release's functions are called by nobody here: how many requests each version has,
and how many of them fail, is told to CloudWatch, and the times of a release are the shortest that a manifest takes.
Releases under users' requests are journeys (tests/sandbox/journeys/test_release.py).
"""


def write(
    results: Sequence[Result], discovered: Sequence[str], notes: dict[str, str], file: Path, *, keep: bool
) -> None:
    """The results in the order of discovery. `keep`: rows of an earlier run that this one has not played stay."""
    new = {result.case: result.as_row() for result in results}
    old = json.loads(file.read_text("utf-8")) if keep and file.exists() else {"discovered": [], "results": []}
    known = {row["case"]: row for row in old["results"]} | new
    names = list(dict.fromkeys([*old["discovered"], *discovered]))
    rows = [known[name] for name in names if name in known]
    content = {"notes": notes, "discovered": names, "results": rows}
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(file)


def page(content: dict[str, Any]) -> str:
    """The whole page."""
    rows: list[dict[str, Any]] = content["results"]
    notes = " · ".join(f"{name}: {value}" for name, value in content["notes"].items())
    broken = [row for row in rows if row["broken"]]
    played = f"{len(rows)} cases of {len(content['discovered'])} played, {len(broken)} broken"
    lines = [_BEGINNING, f"{played}. {notes}", ""]
    lines += ["| way | what happens | cases | by itself | people | broken |", "|---|---|---|---|---|---|"]
    for mode, what in _MODES.items():
        mine = [row for row in rows if row["mode"] == mode]
        people = sum(row["outcome"] in _FOR_PEOPLE for row in mine)
        bad = sum(bool(row["broken"]) for row in mine)
        lines.append(f"| {mode} | {what} | {len(mine)} | {len(mine) - people} | {people} | {bad} |")
    lines += ["", "| put right by | what that means | cases |", "|---|---|---|"]
    healers = Counter(row["healed_by"] for row in rows)
    lines += [f"| {healer} | {what} | {healers[healer]} |" for healer, what in _HEALERS.items()]
    for scene in dict.fromkeys(row["scene"] for row in rows):
        lines += ["", f"## {scene}", "", *_table([row for row in rows if row["scene"] == scene])]
    if broken:
        lines += ["", "## Broken", "", *(f"- {row['case']}: {'; '.join(row['broken'])}" for row in broken)]
    return "\n".join([*lines, "", _END])


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A line per call, a column per way."""
    lines = ["| caller | call | " + " | ".join(Mode) + " |", "|---|---|" + "---|" * len(Mode)]
    cells = {(row["caller"], row["call"], row["mode"]): _cell(row) for row in rows}
    for caller, call in dict.fromkeys((row["caller"], row["call"]) for row in rows):
        found = " | ".join(cells.get((caller, call, mode.value), "") for mode in Mode)
        lines.append(f"| {caller} | {call} | {found} |")
    return lines


def _cell(row: dict[str, Any]) -> str:
    left = row["outcome"] in _FOR_PEOPLE and row["stands"] != "as before"
    stands = f", {row['stands']}" if left else ""
    return "**BROKEN**" if row["broken"] else f"{row['outcome']}: {row['healed_by']}{stands}"
