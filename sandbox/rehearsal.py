"""One alarm from symptom to proven fix, on the local AWS: what `selfright demo` runs.

Nothing here helps Selfright along. The faults are changes that a person or a dependency might have made, the symptoms
are those of real traffic, the alarm is evaluated by CloudWatch's rules, and only its own metric decides whether the fix
worked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox import faults, lifecycle, workload
from sandbox.collector import Collector
from sandbox.inbox import Inbox
from sandbox.server import ROOT, SandboxError, Server
from sandbox.traffic import Counts, Traffic
from selfright.adapters.aws import Aws
from selfright.adapters.ledger import DynamoDBIncidentStore
from selfright.adapters.manifest_files import load_workload
from selfright.domain.delivery import deliveries
from selfright.domain.incident import CaseFile, Entry, Incident, IncidentStatus
from selfright.domain.manifest import ChannelType

ENVIRONMENT: workload.Environment = "development"
WORKLOAD = "opportunity-analysis"
SCALE = 12.0
# Sandbox minutes of normal traffic before the fault: the alarm must have seen health, and it is the baseline.
CALM_MINUTES = 3
# ... and a version that served so many well counts as proven (checks/function_releases.py wants 59).
CALM_ANALYSES = 80
LOOK_EVERY = 0.2  # seconds of the wall
# Seconds of the wall until the demo gives up waiting for one thing; none takes half of it.
PATIENCE = 170.0


@dataclass(frozen=True)
class Scenario:
    """What goes wrong, in order."""

    faults: tuple[str, ...]
    scale: float = SCALE


THROTTLED_TABLE = Scenario(("throttled-table",))
# The release is suspected first, as anybody would; only its roll-back shows that it was not to blame. The alarms have
# ten minutes of patience and there are two verdicts to wait for: hence the faster clock.
WRONG_SUSPECT = Scenario(("harmless-release", "dependency-errors"), scale=20.0)


@dataclass(frozen=True)
class Watcher:
    """Where the rehearsal tells what happens: `step` what it did itself, `entry` a new line of the timeline."""

    step: Callable[[str, float], None]
    alarm: Callable[[str, str, float], None]
    entry: Callable[[Entry, float], None]


@dataclass(frozen=True)
class Told:
    """What people got to know of an incident, as each service was given it."""

    mails: list[dict[str, Any]]
    chat: list[dict[str, Any]]
    pages: list[dict[str, Any]]


@dataclass(frozen=True)
class Rehearsal:
    """What came of it; moments are sandbox time."""

    case: CaseFile
    fault_at: datetime
    calm: Counts
    broken: Counts
    fixed: Counts
    api_calls: int
    live: tuple[str, str]  # the version that users got before it went wrong, and the one they get in the end
    alarm_state: str
    scale: float
    told: Told

    @property
    def resolved(self) -> bool:
        return self.case.incident.status is IncidentStatus.RESOLVED

    def wall_seconds(self, start: datetime, end: datetime | None) -> float | None:
        return round((end - start).total_seconds() / self.scale, 3) if end else None


def rehearse(scenario: Scenario, home: Path, watcher: Watcher, scale: float) -> Rehearsal:
    """Bring a sandbox up in `home`, break the workload, and watch until its incident is closed.

    Raises SandboxError where the sandbox, the alarm or the incident does not get there in time. The sandbox is
    taken down again in every case.
    """
    try:
        server, outputs = lifecycle.up(
            home, scale=scale, stacks=lifecycle.both_stacks(scale), tell=watcher.step
        )
        os.environ.update(server.environment())
        ours = outputs[lifecycle.CONTROL_PLANE]
        ledger = DynamoDBIncidentStore(Aws(), ours["LedgerTable"])
        manifest = load_workload(ROOT / "workloads" / WORKLOAD, ENVIRONMENT)
        with (
            Collector() as people,
            people.serving(server, manifest),
            Inbox(server, ours["AlertsTopicArn"]) as mail,
            Traffic(server, f"{WORKLOAD}-{ENVIRONMENT}-orchestrator") as traffic,
        ):

            def told(incident_id: str) -> Told:
                return Told(
                    mails=mail.about(incident_id),
                    chat=[post for post in people.taken(ChannelType.SLACK) if incident_id in str(post)],
                    pages=[
                        page
                        for page in people.taken(ChannelType.PAGERDUTY)
                        if page["dedup_key"] == incident_id
                    ],
                )

            channels = tuple(manifest.notifications.ways)
            return _watch(
                server, ledger, traffic, scenario=scenario, watcher=watcher, channels=channels, told=told
            )
    finally:
        lifecycle.down(home)


def _watch(
    server: Server,
    ledger: DynamoDBIncidentStore,
    traffic: Traffic,
    *,
    scenario: Scenario,
    watcher: Watcher,
    channels: Iterable[str],
    told: Callable[[str], Told],
) -> Rehearsal:
    began = time.monotonic()
    _until(
        "calm",
        lambda: (
            traffic.counts().total >= CALM_ANALYSES and traffic.counts().sandbox_seconds > CALM_MINUTES * 60
        ),
    )
    _until("healthy alarms", lambda: not _alarms_in(server, "ALARM"))
    calm = traffic.counts()
    watcher.step(
        f"{calm.total} analyses under normal traffic, {calm.failed} failed", time.monotonic() - began
    )

    live_before, fault_at = _live_version(server), _now(server)
    for fault in scenario.faults:
        faults.on(fault, server, ENVIRONMENT)
        watcher.step(f"fault: {faults.FAULTS[fault].story}", 0.0)

    def since_fault(at: datetime) -> float:
        return (at - fault_at).total_seconds() / server.scale

    case = _follow_until_acted(
        ledger,
        channels,
        fault_at,
        lambda incident: watcher.alarm(incident.name, "ALARM", since_fault(incident.episode)),
        lambda entry: watcher.entry(entry, since_fault(entry.at)),
    )
    alarm = case.incident.name
    broken = traffic.counts().since(calm)
    after = traffic.counts()
    if case.incident.status is IncidentStatus.RESOLVED:
        _until("the alarm's return to OK", lambda: _alarm_state(server, alarm) == "OK")
        ok_at = _alarm(server, alarm)["StateTransitionedTimestamp"]
        if case.incident.closed_at and ok_at > case.incident.closed_at:
            watcher.alarm(alarm, "OK", since_fault(ok_at))  # else the timeline has told it
        after = traffic.counts()
        _until("healthy traffic", lambda: traffic.counts().sandbox_seconds > after.sandbox_seconds + 60)
    return Rehearsal(
        case=case,
        fault_at=fault_at,
        calm=calm,
        broken=broken,
        fixed=traffic.counts().since(after),
        api_calls=_api_calls(server, fault_at),
        live=(live_before, _live_version(server)),
        alarm_state=_alarm_state(server, alarm),
        scale=server.scale,
        told=told(case.incident.id),
    )


def _follow_until_acted(
    ledger: DynamoDBIncidentStore,
    channels: Iterable[str],
    since: datetime,
    announce: Callable[[Incident], None],
    tell: Callable[[Entry], None],
) -> CaseFile:
    """The case of the incident that changed something, or of the last one.

    Two alarms of one function may open an incident each at the same moment; the one that is second to the lease
    closes at once, and tells so.
    """
    followed: set[str] = set()

    def fresh() -> list[Incident]:
        found = ledger.incidents(WORKLOAD, ENVIRONMENT, 10)
        return [i for i in found if i.opened_at > since and i.id not in followed]

    _until("an incident", lambda: bool(fresh()))
    while True:
        incident = min(fresh(), key=lambda one: one.opened_at)
        followed.add(incident.id)
        announce(incident)
        case = _follow(ledger, channels, incident.id, tell)
        if any(attempt.applied_at for attempt in case.attempts) or not fresh():
            return case


def _follow(
    ledger: DynamoDBIncidentStore, channels: Iterable[str], incident_id: str, tell: Callable[[Entry], None]
) -> CaseFile:
    """Tell every new line of an incident's timeline until it is closed, and told through `channels`."""
    told: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        case = ledger.case(incident_id)
        on_their_way = {delivery.key for delivery in deliveries(case) if not delivery.over}
        for entry in case.timeline:
            if entry.key not in told | on_their_way:
                told.add(entry.key)
                tell(entry)
        over = {delivery.channel for delivery in deliveries(case) if delivery.over}
        if case.incident.status is not IncidentStatus.OPEN and over.issuperset(channels):
            return case
        time.sleep(LOOK_EVERY)
    raise SandboxError(f"incident {incident_id} was not closed within {PATIENCE:.0f} s")


def _until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise SandboxError(f"the demo waited {PATIENCE:.0f} s for {what} in vain")
        time.sleep(LOOK_EVERY)


def _alarm(server: Server, name: str) -> dict[str, Any]:
    (alarm,) = server.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(alarm)


def _alarms_in(server: Server, state: str) -> list[str]:
    alarms = server.client("cloudwatch").describe_alarms(
        AlarmNamePrefix=f"{WORKLOAD}-{ENVIRONMENT}-", StateValue=state
    )["MetricAlarms"]
    return [str(alarm["AlarmName"]) for alarm in alarms]


def _alarm_state(server: Server, name: str) -> str:
    return str(_alarm(server, name)["StateValue"])


def _live_version(server: Server) -> str:
    alias = server.client("lambda").get_alias(
        FunctionName=f"{WORKLOAD}-{ENVIRONMENT}-orchestrator", Name="live"
    )
    return str(alias["FunctionVersion"])


def _now(server: Server) -> datetime:
    return datetime.fromtimestamp(server.now(), UTC)


def _api_calls(server: Server, since: datetime) -> int:
    """AWS calls that Selfright's functions made, as they count them themselves (metric AwsCalls)."""
    stat: dict[str, Any] = {
        "Metric": {
            "Namespace": "Selfright",
            "MetricName": "AwsCalls",
            "Dimensions": [{"Name": "service", "Value": "selfright"}],
        },
        "Period": 60,
        "Stat": "Sum",
    }
    found = server.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "calls", "MetricStat": stat}],
        StartTime=since - timedelta(minutes=1),
        EndTime=_now(server) + timedelta(minutes=1),
    )
    return int(sum(found["MetricDataResults"][0]["Values"]))
