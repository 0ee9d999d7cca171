"""One release of the sample workload under its users' requests, on the local AWS: what `selfright demo release` runs.

Nothing here helps Selfright along: the build is what a person might have uploaded, the request comes by EventBridge as
CI would send it, and only the requests of users show whether the release is any good.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox import lifecycle, release_templates, workload
from sandbox.collector import Collector
from sandbox.release_artifacts import BROKEN_TUNING, BUCKET, upload, upload_tuning
from sandbox.server import ROOT, SandboxError, Server
from sandbox.traffic import Counts, Traffic
from selfright.adapters.aws import Aws
from selfright.adapters.configurations import AppConfigConfigurations
from selfright.adapters.manifest_files import load_workload
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.domain.manifest import LambdaFunction, Workload
from selfright.domain.release import LogLine, Milestone, ReleaseFile, ReleaseStatus

ENVIRONMENT: workload.Environment = "development"
WORKLOAD = "opportunity-analysis"
SCALE = 12.0
CALM_MINUTES = 1
LOOK_EVERY = 0.2  # seconds of the wall
PATIENCE = 300.0
# A quarter of 36 requests a minute: 59 are wanted, and in eight minutes 53 came.
CANARY = {"type": "canary", "percent": 25, "for_seconds": 660}
STACK = workload.stack_name(ENVIRONMENT)
# The judge wants twenty minutes of both versions, and not the first ones, in which environments start.
LONG_CANARY = {"type": "canary", "percent": 25, "for_seconds": 1380}
ALARM = f"{WORKLOAD}-{ENVIRONMENT}-orchestrator-error-rate"


@dataclass(frozen=True)
class Watcher:
    """Where the rehearsal tells what happens: `step` what it did itself, `line` a new line of the release's log."""

    step: Callable[[str, float], None]
    line: Callable[[LogLine, float], None]


@dataclass(frozen=True)
class Outcome:
    """What came of it; moments are sandbox time. `requests`: from the request for the release to its end."""

    file: ReleaseFile
    asked_at: datetime
    requests: Counts
    versions: dict[str, str]  # live in the end, by logical name
    configurations: dict[str, str | None]  # likewise
    weights_left: int
    scale: float


@contextmanager
def shop(
    home: Path, scale: float, tell: Callable[[str, float], None]
) -> Iterator[tuple[Server, DynamoDBReleaseLedger, Traffic]]:
    """A sandbox with users; it is taken down again in every case."""
    try:
        server, outputs = lifecycle.up(home, scale=scale, stacks=lifecycle.both_stacks(scale), tell=tell)
        os.environ.update(server.environment())
        ledger = DynamoDBReleaseLedger(Aws(), outputs[lifecycle.CONTROL_PLANE]["LedgerTable"])
        with (
            Collector() as people,
            people.serving(server, manifest()),
            Traffic(server, f"{workload.stack_name(ENVIRONMENT)}-orchestrator") as traffic,
        ):
            yield server, ledger, traffic
    finally:
        lifecycle.down(home)


def rehearse(
    build: str,
    home: Path,
    watcher: Watcher,
    scale: float,
    *,
    template: str | None = None,
    bake_alarm: bool = False,
    broken_configuration: bool = False,
) -> Outcome:
    """Release `build`, and watch until it is over.

    `template`: what the stack is to be changed by, see release_templates.py.
    `bake_alarm`: a person sets an alarm off while all requests go to the new version already.
    `broken_configuration`: a configuration goes out with it that makes every request fail.

    Raises SandboxError where the sandbox or the release does not get there in time.
    """
    with shop(home, scale, watcher.step) as (server, ledger, traffic):
        began = time.monotonic()
        until("calm", lambda: traffic.counts().sandbox_seconds > CALM_MINUTES * 60)
        calm = traffic.counts()
        watcher.step(f"{calm.total} analyses, {calm.failed} failed", time.monotonic() - began)
        asked_at = now(server)
        release_id = f"{WORKLOAD}-{build}"
        more: dict[str, Any] = infrastructure(server, template, release_id) if template else {}
        if broken_configuration:
            more["configurations"] = {"tuning": upload_tuning(server, BROKEN_TUNING, release_id)}
            watcher.step(f"configuration {BROKEN_TUNING} uploaded, to go out with it", 0.0)
        if build == "latency":
            more["strategy"] = LONG_CANARY
        ask(server, build, release_id, **more)
        watcher.step(f"build {build} uploaded, release {release_id} asked for by EventBridge", 0.0)

        def tell(line: LogLine) -> None:
            watcher.line(line, (line.at - asked_at).total_seconds() / server.scale)
            if bake_alarm and line.key == "shifted-02":
                server.client("cloudwatch").set_alarm_state(
                    AlarmName=ALARM, StateValue="ALARM", StateReason="set by a person"
                )
                watcher.step(f"alarm {ALARM} set off by hand", 0.0)

        file = follow(ledger, release_id, tell)
        return Outcome(
            file=file,
            asked_at=asked_at,
            requests=traffic.counts().since(calm),
            versions={key: alias(server, one)["FunctionVersion"] for key, one in release_set().items()},
            configurations=configured(Aws()),
            weights_left=weights_left(server),
            scale=server.scale,
        )


def manifest() -> Workload:
    return load_workload(ROOT / "workloads" / WORKLOAD, ENVIRONMENT)


def release_set() -> dict[str, LambdaFunction]:
    found = manifest()
    resources = {key: found.resource(key) for key in found.deployment.functions}
    return {key: one for key, one in resources.items() if isinstance(one, LambdaFunction)}


def ask(server: Server, build: str, release_id: str, **changes: Any) -> None:
    """Upload a build and ask for its release by EventBridge, as CI does."""
    request = _request(server, build, release_id, changes)
    answer = server.client("events").put_events(
        Entries=[{"Source": "selfright", "DetailType": "DeploymentRequested", "Detail": json.dumps(request)}]
    )
    if answer["FailedEntryCount"]:
        raise SandboxError(f"EventBridge did not take the request: {answer['Entries']}")


def ask_by_upload(server: Server, build: str, release_id: str, **changes: Any) -> None:
    """Upload a build, and last the request for its release."""
    request = _request(server, build, release_id, changes)
    put_request(server, f"releases/{release_id}.json", json.dumps(request).encode())


def put_request(server: Server, key: str, document: bytes) -> None:
    """Upload it to the artifact bucket, which tells EventBridge."""
    s3 = server.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket=BUCKET, Key=key, Body=document)


def _request(server: Server, build: str, release_id: str, changes: dict[str, Any]) -> dict[str, Any]:
    artifact = upload(server, build, release_id)
    return {
        "release_id": release_id,
        "workload": WORKLOAD,
        "environment": ENVIRONMENT,
        "commit": artifact["sha256"][:40],
        "committed_at": now(server).isoformat(),
        "requested_by": "rehearsal",
        "reason": f"the build {build}",
        "artifacts": dict.fromkeys(release_set(), artifact),
        "strategy": CANARY,
        **changes,
    }


def infrastructure(server: Server, kind: str, release_id: str, **parameters: str) -> dict[str, Any]:
    """What a request says that changes the stack, too; a custom resource, for one, is asked about."""
    template = release_templates.upload(server, STACK, kind, release_id, **parameters)
    return {"template": template, "approver": "a colleague"}


def follow(ledger: DynamoDBReleaseLedger, release_id: str, tell: Callable[[LogLine], None]) -> ReleaseFile:
    """Tell every new line of a release's log until it is over, and people were told so."""
    known: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        file = _file(ledger, release_id)
        for line in file.log if file else ():
            if line.key not in known:
                known.add(line.key)
                if line.milestone is not Milestone.TOLD:
                    tell(line)
        if file and file.release.over and any(key.startswith("told-closed-") for key in known):
            return file
        time.sleep(LOOK_EVERY)
    raise SandboxError(f"release {release_id} was not over within {PATIENCE:.0f} s")


def _file(ledger: DynamoDBReleaseLedger, release_id: str) -> ReleaseFile | None:
    from selfright.domain.errors import NotFoundError

    try:
        return ledger.file(release_id)
    except NotFoundError:  # its request is on its way
        return None


def until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise SandboxError(f"waited {PATIENCE:.0f} s for {what} in vain")
        time.sleep(LOOK_EVERY)


def alias(server: Server, function: LambdaFunction) -> dict[str, Any]:
    found = server.client("lambda").get_alias(FunctionName=function.name, Name=function.alias)
    return dict(found)


def configured(aws: Aws) -> dict[str, str | None]:
    """The version of each configuration that is live, by logical name."""
    board = AppConfigConfigurations(aws, "")
    places = {key: board.place(one) for key, one in manifest().deployment.configurations.items()}
    return {key: board.state(place).live for key, place in places.items()}


def weights_left(server: Server) -> int:
    """Aliases of the release set that send requests to more than one version."""
    routes = [alias(server, one).get("RoutingConfig", {}) for one in release_set().values()]
    return sum(bool(route.get("AdditionalVersionWeights")) for route in routes)


def now(server: Server) -> datetime:
    return datetime.fromtimestamp(server.now(), UTC)


__all__ = ["Outcome", "ReleaseStatus", "Watcher", "rehearse"]
