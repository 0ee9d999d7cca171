"""The world outside in memory: time, alarms, switches, tables, workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from selfright.domain.alarms import AlarmDefinition, State
from selfright.domain.errors import NotFoundError
from selfright.domain.gates import AlarmNow
from selfright.domain.judgement import Watched
from selfright.domain.release import LogLine, Release
from selfright.domain.report import Report
from selfright.domain.signal import Signal
from selfright.ports import ScalingTarget, Switches, TableState, Usage


class StillClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class RecordingWorkflows:
    """Keeps the incidents that were started, once each, as execution names do; `statuses` and `undoings` say how they go."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.statuses: dict[str, str] = {}
        self.undone: dict[str, tuple[int, str]] = {}
        self.undoings: dict[str, str] = {}

    def start(self, incident_id: str) -> None:
        if incident_id not in self.started:
            self.started.append(incident_id)

    def status(self, incident_id: str) -> str | None:
        return self.statuses.get(incident_id, "RUNNING") if incident_id in self.started else None

    def undo(self, incident_id: str, attempt: int, failure: str) -> None:
        self.undone.setdefault(incident_id, (attempt, failure))

    def undoing(self, incident_id: str) -> str | None:
        return self.undoings.get(incident_id, "RUNNING") if incident_id in self.undone else None


class RecordingMessenger:
    """Keeps what people were told."""

    def __init__(self) -> None:
        self.told: list[Report] = []
        self.told_of: list[LogLine] = []

    def tell(self, report: Report) -> None:
        self.told.append(report)

    def tell_of(self, release: Release, line: LogLine) -> None:
        del release
        self.told_of.append(line)


class FakeAlarms:
    def __init__(self) -> None:
        self.states: dict[str, AlarmNow] = {}
        self.definitions: dict[str, AlarmDefinition] = {}
        self.points: dict[str, dict[float, float]] = {}

    def add(self, definition: AlarmDefinition, now: AlarmNow) -> None:
        self.definitions[definition.name], self.states[definition.name] = definition, now
        self.points[definition.name] = {}

    def change(self, name: str, **to: Any) -> None:
        self.states[name] = self.states[name].model_copy(update=to)

    def report(self, name: str, start: datetime, end: datetime, value: float) -> None:
        """One datapoint for every period that begins in [start, end)."""
        period = self.definitions[name].period
        first = -(-int(start.timestamp()) // period) * period
        self.points[name].update({float(t): value for t in range(first, int(end.timestamp()), period)})

    def now(self, name: str) -> AlarmNow:
        if name not in self.states:
            raise NotFoundError(f"alarm {name} does not exist")
        return self.states[name]

    def alarming(self, names: Sequence[str]) -> Sequence[Signal]:
        """Of this account and region; everything else is as the tests' world has it."""
        on = {n: self.states[n] for n in names if n in self.states and self.states[n].state is State.ALARM}
        return [
            Signal(
                account="123456789012",
                region="eu-central-1",
                name=name,
                subject=f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{name}",
                state=State.ALARM,
                at=now.since,
                reason="Threshold Crossed",
            )
            for name, now in on.items()
        ]

    def watch(self, name: str, start: datetime, end: datetime) -> Watched:
        self.now(name)
        points = {t: v for t, v in self.points[name].items() if start.timestamp() <= t < end.timestamp()}
        return Watched(name=name, metric="throttled", definition=self.definitions[name], points=points)


class FakeSwitchBoard:
    def __init__(self) -> None:
        self.switches = Switches(kill_switch=False)

    def read(self) -> Switches:
        return self.switches


class FakeTables:
    """Tables whose changes are in force at once; `changes` lists them."""

    def __init__(self, *tables: TableState) -> None:
        self.states = {table.name: table for table in tables}
        self.used: dict[str, dict[str, Usage]] = {}  # by table, then direction
        self.latency_ms: dict[str, float] = {}
        self.changes: list[tuple[str, str, int, int]] = []

    def describe(self, table: str) -> TableState:
        if table not in self.states:
            raise NotFoundError(f"table {table} does not exist")
        return self.states[table]

    def usage(self, table: str, start: datetime, end: datetime) -> Mapping[str, Usage]:
        del start, end
        return self.used[table]

    def latency(self, table: str, start: datetime, end: datetime) -> float | None:
        del start, end
        return self.latency_ms.get(table)

    def set_provisioned(self, table: str, read_units: int, write_units: int) -> None:
        self._change(table, "PROVISIONED", read_units, write_units)

    def set_on_demand(self, table: str) -> None:
        self._change(table, "PAY_PER_REQUEST", 0, 0)

    def _change(self, table: str, mode: str, read: int, write: int) -> None:
        on_demand = mode == "PAY_PER_REQUEST"
        to = {"on_demand": on_demand, "read_units": read or None, "write_units": write or None}
        self.states[table] = self.describe(table).model_copy(update=to)
        self.changes.append((table, mode, read, write))


class FakeScaling:
    def __init__(self, targets: Mapping[str, Mapping[str, ScalingTarget]] | None = None) -> None:
        self.targets = {table: dict(by) for table, by in (targets or {}).items()}
        self.changes: list[tuple[str, str, int]] = []

    def describe(self, table: str) -> Mapping[str, ScalingTarget]:
        return dict(self.targets.get(table, {}))

    def set_maximum(self, table: str, direction: str, maximum: int) -> None:
        target = self.targets[table][direction]
        self.targets[table][direction] = target.model_copy(update={"maximum": maximum})
        self.changes.append((table, direction, maximum))
