"""What releases are about in the sandbox: three functions, their versions, aliases and requests; putting them back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from reliability.requests import FAILING, tell_cloudwatch
from reliability.world import ENVIRONMENT, WORKLOAD, World
from sandbox import lifecycle
from sandbox.release_artifacts import upload
from sandbox.release_rehearsal import release_set
from sandbox.server import ROOT
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.domain.errors import NotFoundError
from selfright.domain.release import ReleaseFile, lock_of

# The shortest times that the manifest takes; a step that begins within a minute has one whole minute then.
STEP = 120
DEPLOYMENT = {
    "bake_seconds": STEP,
    "metric_delay_seconds": 30,
    "look_seconds": 60,
    "backups_within_seconds": None,  # the incidents before them renew the table, without its recovery
    "smoke_tests": {
        "workflow-runs": {"within_seconds": 600}
    },  # five seconds of the wall, for real executions
}
STRATEGY = {"type": "canary", "percent": 50, "for_seconds": STEP}
PLACE = lock_of(WORKLOAD, ENVIRONMENT)


def hasty_workloads() -> Path:
    """The shipped manifests with a release's shortest times, in a folder that stays: what is built from it is kept."""
    folder = lifecycle.HOME / "reliability" / "workloads"
    for file in sorted((ROOT / "workloads").rglob("*.*")):
        target = folder / file.relative_to(ROOT / "workloads")
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.name == f"{ENVIRONMENT}.yaml":
            manifest = yaml.safe_load(file.read_text("utf-8"))
            manifest["deployment"] = {**manifest.get("deployment", {}), **DEPLOYMENT}
            target.write_text(yaml.safe_dump(manifest), "utf-8")
        else:
            target.write_bytes(file.read_bytes())
    return folder


class ReleaseWorld:
    def __init__(self, world: World) -> None:
        self.world, self.physical = world, world.physical
        self.inbox, self.collector = world.inbox, world.collector
        self.now, self.until, self.sweep, self.waiting = world.now, world.until, world.sweep, world.waiting
        self.functions = {key: one.name for key, one in release_set().items()}
        self.ledger = DynamoDBReleaseLedger(world.aws, world.outputs["LedgerTable"])
        self._logical = {name: logical for logical, name in self.physical.items()}
        self._completed: tuple[str, list[dict[str, Any]], dict[str, str]] | None = None

    @cached_property
    def base(self) -> dict[str, str]:
        """The versions that are live before anything is released."""
        return self.live()

    @cached_property
    def _code(self) -> dict[str, bytes]:
        """The packages that are live before anything is released, by function."""
        found = {}
        for name in self.functions.values():
            where = self._lambda.get_function(FunctionName=name, Qualifier="live")["Code"]["Location"]
            with urllib.request.urlopen(where) as answer:  # noqa: S310 - this machine's own emulator
                found[name] = answer.read()
        return found

    @cached_property
    def _artifact(self) -> dict[str, Any]:
        """The package that is released."""
        return upload(self.world.server, "good", "reliability")

    # -- seeing

    def role(self, machine: str) -> str:
        found = self._steps.describe_state_machine(stateMachineArn=self.physical[machine])
        return str(found["roleArn"].rsplit("/", 1)[-1])

    def named(self, resource: str) -> str:
        """A resource's logical name, from the ARN in a call."""
        for key, name in self.functions.items():
            before, found, qualifier = resource.partition(f":function:{name}")
            if before and found:
                return key + qualifier
        resource, _, index = resource.partition("/index/")
        last = resource.rsplit(":", 1)[-1]
        for part in (resource, last, *last.split("/")[::-1]):
            if part in self._logical:
                return f"{self._logical[part]}{index and '/'}{index}"
        if ":secret:" in resource:
            return last.rsplit("-", 1)[0].rsplit("/", 1)[-1]  # AWS adds six characters of its own
        return last if last != "*" else "any"

    def live(self) -> dict[str, str]:
        return {key: alias["FunctionVersion"] for key, alias in self._aliases().items()}

    def weights(self) -> int:
        """Aliases that send requests to two versions."""
        aliases = self._aliases().values()
        return sum(bool(a.get("RoutingConfig", {}).get("AdditionalVersionWeights")) for a in aliases)

    def stands(self) -> str:
        live = self.live()
        if self.weights():
            return "weights left"
        old = sum(live[key] == version for key, version in self.base.items())
        return {len(live): "as before", 0: "new versions"}.get(old, f"mixed: {live}")

    def lock_holder(self) -> str | None:
        return self.world.leases.holder(PLACE, self.now())

    def file(self, release_id: str) -> ReleaseFile | None:
        try:
            return self.ledger.file(release_id)
        except NotFoundError:
            return None

    def executions(self) -> dict[str, dict[str, Any]]:
        """The newest ones of both machines, by ARN."""
        pages = (
            self._steps.list_executions(stateMachineArn=self.physical[machine], maxResults=20)
            for machine in ("Deploy", "RollBack")
        )
        return {e["executionArn"]: e for page in pages for e in page["executions"]}

    def history(self, executions: Sequence[str]) -> tuple[list[str], int]:
        """The states that were entered, and how often a task failed."""
        states, failed = list[str](), 0
        for arn in executions:
            for event in self._steps.get_execution_history(executionArn=arn, maxResults=1000)["events"]:
                if "stateEnteredEventDetails" in event:
                    states.append(event["stateEnteredEventDetails"]["name"])
                told = event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails")
                # A function that takes up code is waited for in every run.
                failed += told is not None and told.get("error") != "BusyError"
        return states, failed

    # -- what happens

    def ask(self, release_id: str, *, failing: bool, strategy: Mapping[str, Any] = STRATEGY) -> None:
        """As CI does, by EventBridge."""
        artifact = self._artifact
        self._tell_of_requests(failing=failing)
        request = {
            "release_id": release_id,
            "workload": WORKLOAD,
            "environment": ENVIRONMENT,
            "commit": artifact["sha256"][:40],
            "committed_at": self.now().isoformat(),
            "requested_by": "reliability",
            "reason": "to see it go wrong",
            "artifacts": dict.fromkeys(self.functions, artifact),
            "strategy": strategy,
        }
        entry = {"Source": "selfright", "DetailType": "DeploymentRequested", "Detail": json.dumps(request)}
        self.world.aws.client("events").put_events(Entries=[entry])

    def roll_back(self, release_id: str) -> None:
        given = {"release_id": release_id, "reason": "a complaint", "actor": "a person"}
        self._steps.start_execution(stateMachineArn=self.physical["RollBack"], input=json.dumps(given))

    def stop(self, machine: str, release_id: str) -> None:
        for arn, execution in self.executions().items():
            if f":{self.physical[machine].rpartition(':')[2]}:{release_id}" in arn:
                self._steps.stop_execution(executionArn=execution["executionArn"])

    def _tell_of_requests(self, *, failing: bool) -> None:
        """Of the live versions and of the next ones, for the coming hour."""
        versions = [
            (name, version, errors)
            for key, name in self.functions.items()
            for version, errors in ((self.base[key], 0), (self._next_version(name), failing * FAILING))
        ]
        tell_cloudwatch(self.world.aws.client("cloudwatch"), versions, self.now())

    def _next_version(self, function: str) -> str:
        pages = self._lambda.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        numbers = [int(v["Version"]) for page in pages for v in page["Versions"] if v["Version"] != "$LATEST"]
        return str(max(numbers) + 1)

    # -- putting back

    def put_back(self) -> None:
        """As before the first run: the first versions live, their code the newest, nothing on record."""
        for arn, execution in self.executions().items():
            if execution["status"] == "RUNNING":
                self._steps.stop_execution(executionArn=arn)
        self._point_at(self.base)
        for name, code in self._code.items():
            self._lambda.update_function_code(FunctionName=name, ZipFile=code)
        self.until("no function takes up code", self._none_is_busy)
        self.world.wipe_ledger()
        self.until("the alarms are OK", self._alarms_are_ok)
        for queue in ("SignalsUrl", "SignalsDeadLettersUrl"):
            self.world.aws.client("sqs").purge_queue(QueueUrl=self.world.outputs[queue])
        self.inbox.drain()
        self.collector.forget()

    def make_completed(self, complete_one: Callable[[], str]) -> None:
        """A release is live, as when it was completed the first time."""
        if self._completed is None:
            release_id = complete_one()
            self._completed = release_id, self.world.ledger_items(), self.live()
        _, items, versions = self._completed
        self._point_at(versions)
        self.world.wipe_ledger()
        self.world.put_ledger_items(items)
        self.inbox.drain()
        self.collector.forget()

    @property
    def completed_id(self) -> str:
        if self._completed is None:
            raise ValueError("no release was completed")
        return self._completed[0]

    def _none_is_busy(self) -> bool:
        found = [self._lambda.get_function_configuration(FunctionName=name) for name in self._code]
        return all(one["LastUpdateStatus"] == "Successful" for one in found)

    def _alarms_are_ok(self) -> bool:
        names = [self.physical[alarm] for alarm in ("DeployFailed", "RollBackFailed")]
        alarms = self.world.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        return all(alarm["StateValue"] != "ALARM" for alarm in alarms)

    def _point_at(self, versions: Mapping[str, str]) -> None:
        for key, name in self.functions.items():
            self._lambda.update_alias(
                FunctionName=name,
                Name="live",
                FunctionVersion=versions[key],
                RoutingConfig={"AdditionalVersionWeights": {}},
            )

    def _aliases(self) -> dict[str, dict[str, Any]]:
        return {
            key: self._lambda.get_alias(FunctionName=name, Name="live")
            for key, name in self.functions.items()
        }

    @property
    def _steps(self) -> Any:
        return self.world.aws.client("stepfunctions")

    @property
    def _lambda(self) -> Any:
        return self.world.aws.client("lambda")
