"""intake: what one event costs on a warm process, without AWS (pure) and with it (warm)."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.artifact import Artifact, artifacts
from benchmarks.rounds import Child, Figures, cpu_seconds, interleaved
from benchmarks.rows import Row, judged
from benchmarks.scenes import ALARM_EVENT, EXPECTED, ROOT, RUNBOOK, Scene
from benchmarks.stub_aws import StubAws, stub_aws
from sandbox.server import EMULATOR_PYTHON
from selfright.adapters.runbook_files import load_runbook
from selfright.domain.incident import fingerprint
from selfright.domain.manifest import ResourceType, Symptom, Workload, load
from selfright.domain.runbook import Runbook, Shelf
from selfright.edge.signals import signal

ROUNDS, EVENTS = 15, 1000
PURE_BUDGET, FLAT_BUDGET, WARM_BUDGET = 2.0, 1.1, 1.15
FEW, MANY = 50, 5000
WARM_PROGRAM = Path(__file__).parent / "warm_events.py"


def rows(only: str) -> Iterator[Row]:
    if "intake.pure".startswith(only):
        yield from _pure()
    if "intake.warm".startswith(only):
        yield _warm()


def _pure() -> Iterator[Row]:
    text = ALARM_EVENT.read_text()
    event = json.loads(text)
    parse, few, many = "json.loads of the same event", f"{FEW} rules", f"{MANY} rules"
    figures = interleaved(
        {
            parse: lambda: _each(lambda: json.loads(text)),
            few: _intake(event, FEW),
            many: _intake(event, MANY),
        },
        ROUNDS,
    )
    note = f"±{figures.spread(few, parse):.2f}; validate, normalise, fingerprint, find alarm and runbook among {FEW}"
    ratio = figures.ratio(few, parse)
    yield judged("intake.pure", figures.median(few) * 1e6, "CPU µs", parse, ratio, PURE_BUDGET, note)
    ratio, note = (
        figures.ratio(many, few),
        f"±{figures.spread(many, few):.2f}; {MANY} alarms and {MANY} runbooks",
    )
    yield judged("intake.pure.flat", figures.median(many) * 1e6, "CPU µs", few, ratio, FLAT_BUDGET, note)


def _intake(event: dict[str, Any], rules: int) -> Callable[[], float]:
    """The whole way of one event without AWS, among `rules` alarms and `rules` runbooks; the last of each is meant."""
    workload, shelf = _manifest(rules, event["detail"]["alarmName"]), Shelf(_runbooks(rules))

    def one() -> None:
        received = signal(event)
        alarm = workload.alarm_by_name(received.name)
        assert alarm is not None  # noqa: S101 - narrows the type, and proves that it was found
        fingerprint(received, workload, alarm)
        found = shelf.find(workload.resource(alarm.resource).type, alarm.symptom)
        assert found is not None  # noqa: S101 - as above

    return lambda: _each(one)


def _manifest(alarms: int, meant: str) -> Workload:
    table = {"type": "dynamodb-table", "name": "orders"}
    names = [f"alarm-{n}" for n in range(alarms - 1)] + [meant]
    rest = {"resource": "orders", "symptom": "throttling", "severity": "high"}
    document = {
        "workload": "shop",
        "description": "Sells things.",
        "owner": "shop-team",
        "resources": {"orders": table},
        "alarms": {f"alarm-{n}": {"name": name, **rest} for n, name in enumerate(names)},
    }
    return load(document, {}, "development")


def _runbooks(number: int) -> list[Runbook]:
    """As many runbooks, of which only the last is for a table that throttles."""
    real = load_runbook(ROOT / "runbooks" / f"{RUNBOOK}.yaml")
    other = real.matches.model_copy(
        update={"resource_types": (ResourceType.LAMBDA_FUNCTION,), "symptoms": (Symptom.MEMORY,)}
    )
    others = [real.model_copy(update={"id": f"other-{n}", "matches": other}) for n in range(number - 1)]
    return [*others, real]


def _each(run: Callable[[], object]) -> float:
    """CPU seconds of one run."""
    began = time.process_time()
    for _ in range(EVENTS):
        run()
    return (time.process_time() - began) / EVENTS


def warm_events(built: Artifact, stub: StubAws) -> dict[str, Any]:
    """What the child warm_events.py found: CPU seconds per event of `ours`, `bare` and `lean`, and the calls."""
    scene = Scene("receive_signal")
    stub.answers = scene.answers
    with tempfile.NamedTemporaryFile("r") as result:
        spec = {
            "paths": built.paths("receive_signal"),
            "event": scene.event,
            "expect": EXPECTED["receive_signal"],
            "result": result.name,
        }
        command = (str(EMULATOR_PYTHON), "-I", "-S", str(WARM_PROGRAM), json.dumps(spec))
        cpu_seconds(Child(command, {**built.environment, **stub.environment}))
        found: dict[str, Any] = json.load(result)
    return found


def _warm() -> Row:
    with artifacts() as (built, _), stub_aws() as stub:
        found = warm_events(built, stub)
    figures = Figures({name: found[name] for name in ("ours", "bare", "lean")})
    note = (
        f"±{figures.spread('ours', 'bare'):.2f}; {', '.join(found['calls'])}; no client built in {found['events']} "
        f"events; {figures.ratio('ours', 'lean'):.2f} x the same calls on our own client"
    )
    value, ratio = figures.median("ours") * 1e6, figures.ratio("ours", "bare")
    return judged(
        "intake.warm", value, "CPU µs", "its bare SDK calls on stock clients", ratio, WARM_BUDGET, note
    )
