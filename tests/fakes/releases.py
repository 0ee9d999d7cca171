"""Releases, and functions with their versions and aliases, in memory."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.release import Build, CodeArtifact, LogLine, Release, ReleaseFile
from selfright.domain.release.probing import Heard, Ran
from selfright.domain.release.steps import NOBODY, Cause, RollBackInput
from selfright.domain.serving import AliasState, Tally


class MemoryReleaseLedger:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._releases: dict[str, Release] = {}
        self._lines: dict[str, dict[str, LogLine]] = {}
        self._mendings: dict[tuple[str, str], dict[str, LogLine]] = {}

    def open(self, release: Release, line: LogLine) -> Release:
        with self._lock:
            if release.id not in self._releases:
                self._releases[release.id] = release
                self.note(release.id, line)
            return self._releases[release.id]

    def release(self, release_id: str) -> Release:
        if release_id not in self._releases:
            raise NotFoundError(f"release {release_id} does not exist")
        return self._releases[release_id]

    def file(self, release_id: str) -> ReleaseFile:
        lines = sorted(self._lines.get(release_id, {}).values(), key=lambda line: line.at)
        return ReleaseFile(release=self.release(release_id), log=tuple(lines))

    def releases(self, workload: str, environment: str, limit: int) -> Sequence[Release]:
        place = (workload, environment)
        ours = [r for r in self._releases.values() if (r.request.workload, r.request.environment) == place]
        return sorted(ours, key=lambda r: r.requested_at, reverse=True)[:limit]

    def since(self, workload: str, environment: str, start: datetime) -> Sequence[Release]:
        known = self.releases(workload, environment, len(self._releases))
        return [release for release in known if release.requested_at >= start]

    def save(self, release: Release, *lines: LogLine) -> Release:
        with self._lock:
            if self.release(release.id).seq != release.seq:
                raise BusyError(f"writing release {release.id}: somebody else wrote it meanwhile")
            self._releases[release.id] = release.but(seq=release.seq + 1)
            self.note(release.id, *lines)
            return self._releases[release.id]

    def note(self, release_id: str, *lines: LogLine) -> None:
        self._lines.setdefault(release_id, {}).update({line.key: line for line in lines})

    def note_mending(self, workload: str, environment: str, line: LogLine) -> None:
        self._mendings.setdefault((workload, environment), {})[line.key] = line

    def mendings(self, workload: str, environment: str, limit: int) -> Sequence[LogLine]:
        found = self._mendings.get((workload, environment), {})
        return [found[key] for key in sorted(found, reverse=True)][:limit]


class RecordingDeployments:
    """Keeps the releases that were started, once each, as execution names do; tests say how executions stand."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.statuses: dict[str, str] = {}
        self.taken_back: dict[str, str] = {}  # why, by release
        self.taking: dict[str, str] = {}

    def start(self, release_id: str) -> None:
        if release_id not in self.started:
            self.started.append(release_id)
            self.statuses.setdefault(release_id, "RUNNING")

    def status(self, release_id: str) -> str | None:
        return self.statuses.get(release_id)

    def take_back(self, release_id: str, reason: str, actor: str) -> None:
        del actor
        if release_id not in self.taking:
            self.taken_back[release_id] = reason
            self.taking[release_id] = "RUNNING"

    def taking_back(self, release_id: str) -> str | None:
        return self.taking.get(release_id)


class RecordingRollBacks:
    """Keeps what was started, once for each release, as execution names do."""

    def __init__(self) -> None:
        self.started: dict[str, RollBackInput] = {}

    def start(self, release_id: str, reason: str, actor: str, cause: Cause) -> None:
        given = RollBackInput(release_id=release_id, reason=reason, actor=actor, cause=cause, to=NOBODY)
        self.started.setdefault(release_id, given)


@dataclass
class FakeFunction:
    """A function: its versions, its alias `live`, its requests by version."""

    builds: dict[str, Build]
    latest: Build
    alias: AliasState
    served: dict[str, Tally] = field(default_factory=dict)


class FakeLambda:
    """The parts of the ports Functions and Versions that a release uses; `changes` lists what was done to aliases.

    An update of code keeps a function busy for one look.
    """

    def __init__(self, *names: str) -> None:
        self._revisions = count(1)
        self.changes: list[tuple[str, str, dict[str, float]]] = []
        self.functions = {name: self._function() for name in names}
        self.with_provisioned: set[str] = set()  # functions whose alias has provisioned concurrency
        self.slowness: dict[tuple[str, str], float] = {}
        self._busy: set[str] = set()

    def _function(self) -> FakeFunction:
        live = Build(
            version="1", code_sha256=as_lambda_tells_it("0" * 64), role="role", settings=frozenset({"TABLE"})
        )
        latest = live.model_copy(update={"version": "$LATEST", "code_sha256": as_lambda_tells_it("1" * 64)})
        return FakeFunction({"1": live}, latest, AliasState(version="1", revision=self._revision()))

    def _revision(self) -> str:
        return f"r{next(self._revisions)}"

    # -- the port Functions

    def alias(self, function: str, alias: str) -> AliasState:
        assert alias == "live"
        return self._known(function).alias

    def tallies(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Tally]:
        self.alias(function, alias)
        assert start < end, "CloudWatch refuses an empty span"
        served = self._known(function).served
        return {v: _between(served.get(v, Tally()), start, end) for v in versions}

    def durations(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Mapping[float, float]]:
        """Some twenty milliseconds, times the version's `slowness`, in every minute with a request."""
        tallies = self.tallies(function, alias, versions, start, end)
        return {
            version: {
                at: (20 + at / 60 % 5) * self.slowness.get((function, version), 1.0)
                for at, calls in tally.invocations.items()
                if calls
            }
            for version, tally in tallies.items()
        }

    def p95(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, float]:
        """The slowest minute's mean: there is one request a minute that matters."""
        durations = self.durations(function, alias, versions, start, end)
        return {version: max(points.values()) for version, points in durations.items() if points}

    # -- the port Versions

    def build(self, function: str, qualifier: str) -> Build:
        known = self._known(function)
        if qualifier == "$LATEST":
            busy = function in self._busy
            self._busy.discard(function)
            return known.latest.model_copy(update={"busy": busy})
        version = known.alias.version if qualifier == "live" else qualifier
        if version not in known.builds:
            raise NotFoundError(f"version {version} of {function} does not exist")
        return known.builds[version]

    def provisioned(self, function: str, alias: str) -> bool:
        self.alias(function, alias)
        return function in self.with_provisioned

    def publish(self, function: str, artifact: CodeArtifact | None, release_id: str) -> str:
        del release_id
        known = self._known(function)
        if artifact:
            wanted = as_lambda_tells_it(artifact.sha256)
            if artifact.key == "tampered.zip":
                raise RefusedError(
                    f"s3://{artifact.bucket}/{artifact.key} is not the file that was asked for"
                )
            if known.latest.code_sha256 != wanted:
                known.latest = known.latest.model_copy(update={"code_sha256": wanted})
                raise BusyError(f"{function} is being updated")
        newest = str(max(map(int, known.builds)))
        if known.builds[newest].code_sha256 == known.latest.code_sha256:
            return newest
        made = str(int(newest) + 1)
        known.builds[made] = known.latest.model_copy(update={"version": made})
        return made

    def route(
        self, function: str, alias: str, version: str, weights: Mapping[str, float], revision: str
    ) -> AliasState:
        known = self._known(function)
        if revision != self.alias(function, alias).revision:
            raise BusyError("the revision is not the present one")
        if {version, *weights} - known.builds.keys():
            raise NotFoundError(f"a version of {function} does not exist")
        known.alias = AliasState(version=version, weights=dict(weights), revision=self._revision())
        self.changes.append((function, version, dict(weights)))
        return known.alias

    # -- for tests

    def serve(self, function: str, minute: float, requests: float, share_failed: Mapping[str, float]) -> None:
        """One minute of requests through the alias, split by its weights; `share_failed` by version."""
        known = self.functions[function]
        alias = known.alias
        shares = {alias.version: 1 - sum(alias.weights.values()), **alias.weights}
        for version, share in shares.items():
            calls = round(requests * share)
            failed = round(calls * share_failed.get(version, 0.0))
            old = known.served.get(version, Tally())
            known.served[version] = Tally(
                invocations={**old.invocations, minute: calls}, crashes={**old.crashes, minute: failed}
            )

    def busy_with_an_update(self, function: str) -> None:
        self._busy.add(function)

    def versions_live(self) -> dict[str, str]:
        return {name: one.alias.version for name, one in self.functions.items()}

    def weights_left(self) -> int:
        return sum(len(one.alias.weights) for one in self.functions.values())

    def _known(self, function: str) -> FakeFunction:
        if function not in self.functions:
            raise NotFoundError(f"function {function} does not exist")
        return self.functions[function]


class FakeProbes:
    """The port Probes: everything answers 200 and every execution succeeds at once, but for what a test says.

    `asked`: what was invoked, fetched or run, in order. `answers` by (function, version or alias), by address or by
    state machine: an answer, or a function that makes one.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.answers: dict[tuple[str, ...], Any] = {}
        self.started: set[str] = set()

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any], seconds: float) -> Heard:
        del event, seconds
        good = Heard(seconds=0.2, body={"statusCode": 200})
        heard: Heard = self._answer((function, qualifier), good)
        return heard

    def fetch(self, url: str, seconds: float) -> Heard:
        del seconds
        heard: Heard = self._answer((url,), Heard(seconds=0.2, status=200, body="up"))
        return heard

    def run(self, machine: str, name: str, given: Mapping[str, Any]) -> Ran:
        del given
        self.started.add(name)
        ran: Ran = self._answer((machine,), Ran(status="SUCCEEDED", seconds=1.0))
        return ran

    def _answer(self, asked: tuple[str, ...], good: Any) -> Any:
        self.asked.append(asked)
        answer = self.answers.get(asked, good)
        return answer() if callable(answer) else answer


def as_lambda_tells_it(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _between(tally: Tally, start: datetime, end: datetime) -> Tally:
    def cut(counts: Mapping[float, float]) -> dict[float, float]:
        return {at: n for at, n in counts.items() if start.timestamp() <= at < end.timestamp()}

    return Tally(invocations=cut(tally.invocations), crashes=cut(tally.crashes))
