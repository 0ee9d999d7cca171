"""What the use cases need from the world, as Protocols. adapters/ fill them with AWS, tests/fakes with memory.

Every method may raise SourceDownError (ThrottledError where AWS asked to slow down); others are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from selfright.domain.budget import Budget, Counted
from selfright.domain.catalogue import ActionDeclaration, CheckDeclaration, CheckResult
from selfright.domain.gates import AlarmNow, Change, Troubles
from selfright.domain.incident import Attempt, CaseFile, Entry, Incident, IncidentStatus, Plan
from selfright.domain.judgement import Watched
from selfright.domain.manifest import Autonomy, Resource, Workload
from selfright.domain.notice import Notice
from selfright.domain.report import Report
from selfright.domain.signal import DecisionReason, DecisionRecord, Signal

if TYPE_CHECKING:  # only some rooms need these models: no other builds them
    from selfright.domain.release import Build, CodeArtifact, LogLine, ReleaseFile
    from selfright.domain.release import Release as ReleaseRecord
    from selfright.domain.release.probing import Heard, Ran
    from selfright.domain.release.steps import Cause
    from selfright.domain.serving import (
        AliasState,
        ConcurrencyState,
        FailureLog,
        FlagPlace,
        FunctionState,
        Release,
        Tally,
    )

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, UTC."""


class IncidentStore(Protocol):
    """Decision records, incidents, attempts and timelines. Writing the same thing twice changes nothing."""

    def open_or_join(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        """Open `incident`, or join the open one of the same problem, in one conditional write.

        Answers the earlier record where this signal was decided before, and an OVERTAKEN one where the problem
        recovered after the signal's moment.
        """

    def hold(self, incident: Incident, signal: Signal, now: datetime) -> DecisionRecord:
        """Note `incident` as held by a storm, closed from the start; one per problem until its alarm is OK again.

        A signal that its alarm's recovery overtook is no trouble: it is ignored.
        """

    def recover(self, fingerprint: str, signal: Signal, now: datetime) -> DecisionRecord:
        """Note that the alarm is OK since `signal.at`; the open incident's timeline gets a line."""

    def decision(self, signal_id: str) -> DecisionRecord | None:
        """What was decided on a signal; None where nothing was yet."""

    def last_episode(self, fingerprint: str) -> datetime | None:
        """The moment of the signal that opened the newest incident of a problem."""

    def ignore(self, signal: Signal, reason: DecisionReason, now: datetime) -> DecisionRecord:
        """Note that nothing is to be done."""

    def case(self, incident_id: str) -> CaseFile:
        """Everything about an incident.

        Raises NotFoundError.
        """

    def incidents(self, workload: str, environment: str, limit: int) -> Sequence[Incident]:
        """The newest incidents of a workload, newest first."""

    def open_incidents(self, workload: str, environment: str, since: datetime) -> Sequence[Incident]:
        """Those opened since then that are open, as far as has got about: read the case before you act on one."""

    def take_up(self, incident_id: str, runbook: str | None, entries: Sequence[Entry]) -> None:
        """Note which runbook is followed, with its timeline lines."""

    def save_attempt(self, incident_id: str, attempt: Attempt, entries: Sequence[Entry] = ()) -> None:
        """Write an attempt's new state and its timeline lines together."""

    def intend(self, incident_id: str, attempt: Attempt, target: str, budget: Budget, now: datetime) -> None:
        """Record before-values and intent just before a change, and count it; only the holder of the lease can.

        Raises ConflictError where the lease with `attempt.fence` is not ours any more, or `budget` is spent.
        """

    def note(self, incident_id: str, entries: Sequence[Entry]) -> None:
        """Write timeline lines; one of the same key takes the earlier one's place."""

    def close(
        self, incident_id: str, status: IncidentStatus, reason: str, entry: Entry, now: datetime
    ) -> Incident:
        """Close an incident; a closed one stays as it was closed first."""


class History(Protocol):
    """What the gates remember. Written with the incidents (IncidentStore), so no crash comes between."""

    def changes(self, target: str) -> Sequence[Change]:
        """Our changes to a target in the last two days at least, in no order."""

    def alarm_changes(self, alarm_arn: str, since: datetime) -> Sequence[datetime]:
        """When the alarm went to ALARM or back to OK."""

    def counted(self, workload: str, environment: str) -> Sequence[Counted]:
        """The changes of the last day that count on the workload's budget."""

    def troubles(self, workload: str, environment: str) -> Troubles:
        """Its problems that are not over, and the storm where one was declared."""

    def declare_storm(self, workload: str, environment: str, incident_id: str, now: datetime) -> None:
        """`incident_id` tells people of the storm; the first one that declares it does."""

    def end_storm(self, workload: str, environment: str) -> None:
        """Nothing where there is none."""


class Leases(Protocol):
    """Who may change a target now. A lease has an owner, an end and a fencing token that only grows."""

    def holder(self, target: str, now: datetime) -> str | None:
        """Owner of a lease that has not run out."""

    def acquire(self, target: str, owner: str, until: datetime, now: datetime) -> int:
        """The fencing token of a lease for `owner`.

        Raises ConflictError where another holds it.
        """

    def release(self, target: str, owner: str) -> None:
        """Give a lease back; nothing where it is not ours."""

    def lapsed(self, target: str, now: datetime) -> str | None:
        """Owner of a lease that has run out without being given back."""

    def last_action_at(self, target: str, other_than: str) -> datetime | None:
        """When we changed this target last, for any incident but `other_than`."""


class Workflows(Protocol):
    def start(self, incident_id: str) -> None:
        """Start `respond` for an incident; once, however often it is called."""

    def status(self, incident_id: str) -> str | None:
        """Step Functions' word for an incident's execution (RUNNING, FAILED, ...); None where there is none."""

    def undo(self, incident_id: str, attempt: int, failure: str) -> None:
        """Start `undo` for an incident that `respond` left open; once, however often it is called."""

    def undoing(self, incident_id: str) -> str | None:
        """As `status`, of the incident's recovery."""


class Alarms(Protocol):
    def now(self, name: str) -> AlarmNow:
        """How an alarm stands, with the mute rules that are active now.

        Raises NotFoundError.
        """

    def alarming(self, names: Sequence[str]) -> Sequence[Signal]:
        """The signals that those of these alarms sent which are in ALARM; names that do not exist are left out."""

    def watch(self, name: str, start: datetime, end: datetime) -> Watched:
        """An alarm's definition and its datapoints in [start, end).

        Raises NotFoundError.
        """


class Messenger(Protocol):
    def tell_of(self, release: ReleaseRecord, line: LogLine) -> None:
        """Tell people, where no workflow runs that would, what a release's log says now."""

    def tell(self, report: Report) -> None:
        """Tell people."""


class Switches(BaseModel):
    """What people can change at run time, without a deployment."""

    model_config = FROZEN

    kill_switch: bool
    autonomy: Mapping[str, Autonomy] = {}


class SwitchBoard(Protocol):
    def read(self) -> Switches:
        """The switches as they are now, never from a cache."""


class Channel(Protocol):
    """One way to reach people."""

    def send(self, notice: Notice) -> None:
        """Hand a notice over; returns when the service has taken it.

        Raises ChannelDownError where it did not, or did not say; BadInputError or NotFoundError where sending it
        again would not help: the notice, the secret or the address is wrong.
        """


class Channels(Protocol):
    def open(self, workload: Workload, key: str) -> Channel:
        """The channel of that key among the workload's `notifications.ways`; nothing is asked of AWS yet."""


class Count(Protocol):
    """A metric that counts."""

    def __call__(self, name: str, **dimensions: str) -> None:
        """One more, in total and for these dimensions."""


class Measure(Protocol):
    """What the end of a release adds to metrics: counts, and seconds of those whose name ends in Time."""

    def __call__(self, figures: Mapping[str, float], workload: str, environment: str) -> None: ...


class Throttles(BaseModel):
    """Throttle events of one direction (read or write) in a window, by the cause that DynamoDB gives."""

    model_config = FROZEN

    provisioned: float = 0.0
    key_range: float = 0.0
    on_demand_maximum: float = 0.0
    account_limit: float = 0.0


class Usage(BaseModel):
    """One direction of a table in a window: per-minute peak of consumed and throttled units per second."""

    model_config = FROZEN

    consumed_peak: float  # units per second, busiest minute
    demand_peak: float  # the same with throttled requests counted as if they had been served
    throttles: Throttles


class TableState(BaseModel):
    """What DescribeTable says. Units per second; None where the table is on demand."""

    model_config = FROZEN

    name: str
    status: str
    on_demand: bool
    read_units: int | None = None
    write_units: int | None = None
    decreases_today: int = 0  # of a UTC day
    last_decrease_at: datetime | None = None
    indexes: int = 0  # global secondary indexes


class ScalingTarget(BaseModel):
    """Application Auto Scaling's bounds for one direction of a table, in units per second."""

    model_config = FROZEN

    minimum: int
    maximum: int
    suspended: bool = False


class Tables(Protocol):
    """DynamoDB tables. Reading methods need read permissions only."""

    def describe(self, table: str) -> TableState:
        """Raises NotFoundError."""

    def usage(self, table: str, start: datetime, end: datetime) -> Mapping[str, Usage]:
        """Keys `read` and `write`."""

    def latency(self, table: str, start: datetime, end: datetime) -> float | None:
        """Mean SuccessfulRequestLatency in milliseconds over all operations; None without requests."""

    def set_provisioned(self, table: str, read_units: int, write_units: int) -> None:
        """UpdateTable to provisioned mode with these units."""

    def set_on_demand(self, table: str) -> None:
        """UpdateTable to PAY_PER_REQUEST."""


class ScalingTargets(Protocol):
    def describe(self, table: str) -> Mapping[str, ScalingTarget]:
        """Registered targets by direction (`read`, `write`); empty where the table is not autoscaled."""

    def set_maximum(self, table: str, direction: str, maximum: int) -> None:
        """Change the upper bound and nothing else."""


class Functions(Protocol):
    """Lambda functions. Every method raises NotFoundError where the function, or its alias, does not exist."""

    def state(self, function: str) -> FunctionState:
        """The function itself, whatever its aliases point to."""

    def alias(self, function: str, alias: str) -> AliasState: ...

    def releases(self, function: str) -> Sequence[Release]:
        """Published versions, newest first."""

    def tally(self, function: str, start: datetime, end: datetime) -> Tally:
        """All requests of the function."""

    def tallies(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Tally]:
        """The requests that came by the alias, by the version that executed them."""

    def durations(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Mapping[float, float]]:
        """Mean duration in milliseconds by minute (epoch seconds of its start), by executed version."""

    def p95(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, float]:
        """Milliseconds that 95 % of the alias's requests stay below, by executed version; only of those with any."""

    def concurrency(self, function: str) -> ConcurrencyState: ...

    def point(self, function: str, alias: str, version: str, revision: str) -> None:
        """Send all of the alias's requests to one version.

        Raises BusyError where the alias is not at `revision` any more.
        """

    def reserve(self, function: str, units: int | None) -> None:
        """Reserve concurrent executions; None lets the function share the account's again."""


class Versions(Protocol):
    """What a release does to functions. Every method raises NotFoundError where function, version or alias is gone."""

    def build(self, function: str, qualifier: str) -> Build:
        """A version, what an alias points to, or $LATEST."""

    def provisioned(self, function: str, alias: str) -> bool:
        """Whether the alias itself has provisioned concurrency, in whatever state."""

    def publish(self, function: str, artifact: CodeArtifact | None, release_id: str) -> str:
        """The version that holds the artifact's code, or that of $LATEST; the same one however often it is asked for.

        Raises BusyError while Lambda is taking the code up, RefusedError where the artifact is not what was asked for.
        """

    def route(
        self, function: str, alias: str, version: str, weights: Mapping[str, float], revision: str
    ) -> AliasState:
        """Point an alias at a version, and shares of its requests at another; the alias as it is then.

        Raises BusyError where the alias is not at `revision` any more, RefusedError where Lambda will not do it.
        """


class Probes(Protocol):
    """Questions to a workload. How long an answer took is in wall seconds, of an execution in AWS's own."""

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any], seconds: float) -> Heard:
        """Invoke once, and wait that long for the answer.

        Raises NotFoundError; SourceDownError where it was not invoked at all.
        """

    def fetch(self, url: str, seconds: float) -> Heard:
        """GET an address. No answer is an answer, too: its trouble.

        Raises RefusedError where the address may not be asked.
        """

    def run(self, machine: str, name: str, given: Mapping[str, Any]) -> Ran:
        """How the execution of that name goes; it is started where there is none.

        Raises NotFoundError.
        """


class ReleaseLedger(Protocol):
    """Releases and their logs. Writing the same line twice changes nothing."""

    def open(self, release: ReleaseRecord, line: LogLine) -> ReleaseRecord:
        """Note a new release; the one that is known by this id already where there is one."""

    def release(self, release_id: str) -> ReleaseRecord:
        """As it is now, never an older copy. Raises NotFoundError."""

    def file(self, release_id: str) -> ReleaseFile:
        """With its log. Raises NotFoundError."""

    def releases(self, workload: str, environment: str, limit: int) -> Sequence[ReleaseRecord]:
        """The newest ones of a workload, newest first, as far as has got about."""

    def since(self, workload: str, environment: str, start: datetime) -> Sequence[ReleaseRecord]:
        """All that were asked for since then, newest first, as far as has got about."""

    def save(self, release: ReleaseRecord, *lines: LogLine) -> ReleaseRecord:
        """Write the next state of a release with its lines; the release as it is on record then.

        Raises BusyError where somebody else wrote it since it was read.
        """

    def note(self, release_id: str, *lines: LogLine) -> None:
        """Write lines; one of the same key takes the earlier one's place."""

    def note_mending(self, workload: str, environment: str, line: LogLine) -> None:
        """Write what a person put right by hand, whether or not a release had left it."""

    def mendings(self, workload: str, environment: str, limit: int) -> Sequence[LogLine]:
        """The newest ones, newest first."""


class Deployments(Protocol):
    def start(self, release_id: str) -> None:
        """Start `deploy` for a release; once, however often it is called."""

    def status(self, release_id: str) -> str | None:
        """How its `deploy` execution stands, as Step Functions calls it; None where there is none."""

    def take_back(self, release_id: str, reason: str, actor: str) -> None:
        """Start `roll_back` for a release that nobody works on; once, however often it is called."""

    def taking_back(self, release_id: str) -> str | None:
        """How the execution stands that `take_back` started; None where there is none."""


class Uploads(Protocol):
    def read(self, bucket: str, key: str, version: str | None, largest: int) -> bytes:
        """An object of S3, of at most so many bytes. Raises NotFoundError, BadInputError where it is larger."""


class RollBacks(Protocol):
    def start(self, release_id: str, reason: str, actor: str, cause: Cause) -> None:
        """Start `roll_back` for a release by a machine's own decision; once, however often it is called."""


class Logs(Protocol):
    def failures(self, function: str, start: datetime, end: datetime) -> FailureLog:
        """What the function logged at level ERROR, within a bounded number of calls."""


class FlagBoard(Protocol):
    """Feature flags of workloads, in AppConfig."""

    def read(self, place: FlagPlace) -> bool:
        """The flag as deployed; false where the document does not name it.

        Raises NotFoundError, and RefusedError where the document is not an object of flags.
        """

    def throw(self, place: FlagPlace, value: bool) -> None:
        """Deploy the document with this flag changed, and nothing else, at once.

        Raises BusyError while another deployment is under way.
        """


class Instruments(Protocol):
    """What checks and actions work with."""

    @property
    def clock(self) -> Clock: ...
    @property
    def tables(self) -> Tables: ...
    @property
    def scaling(self) -> ScalingTargets: ...
    @property
    def functions(self) -> Functions: ...
    @property
    def logs(self) -> Logs: ...
    @property
    def flags(self) -> FlagBoard: ...
    @property
    def workloads(self) -> Mapping[str, Workload]: ...
    @property
    def releases(self) -> ReleaseLedger: ...
    @property
    def roll_backs(self) -> RollBacks: ...


class Check(Protocol):
    """A check of the catalogue; checks/ declares them."""

    @property
    def declaration(self) -> CheckDeclaration: ...

    def __call__(
        self, instruments: Instruments, resource: Resource, parameters: dict[str, Any]
    ) -> CheckResult:
        """Run on `resource`. Raises SourceDownError; NotFoundError where the resource is gone."""


Values = Mapping[str, str | int | float]


class Action(Protocol):
    """`apply(plan.after)` is the remedy, `apply(plan.before)` its undo; both may be repeated."""

    declaration: ClassVar[ActionDeclaration]

    def plan(self, instruments: Instruments, key: str, resource: Any, facts: Mapping[str, Any]) -> Plan:
        """What would be changed, from the resource as it is now and the facts of the checks.

        Raises RefusedError with a reason for people where the change would not help or is not allowed.
        """

    def read(self, instruments: Instruments, plan: Plan) -> dict[str, str | int | float]:
        """The plan's values as they are now.

        Raises NotFoundError, SourceDownError.
        """

    def apply(self, instruments: Instruments, plan: Plan, values: Values) -> None:
        """Set `values` (the plan's before or after).

        Raises RefusedError where AWS will not do it (a quota), SourceDownError where it could not be asked.
        """
