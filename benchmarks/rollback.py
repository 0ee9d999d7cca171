"""Twenty functions go back as one set: from the verdict to restored weights, and the calls that it takes.

The room runs in this process with its real adapters against an AWS on loopback that answers every call after the time
that a call to a Region takes. The floor is what nobody can do without, in the same run: one UpdateAlias for each
function, one after the other and all that the quota lets in at once.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.rounds import BenchmarkError, interleaved
from benchmarks.rows import Row, judged
from selfright.adapters.aws import Aws
from selfright.adapters.clock import SystemClock
from selfright.adapters.functions import LambdaFunctions
from selfright.adapters.leases import DynamoDBLeases
from selfright.adapters.releases import DynamoDBReleaseLedger
from selfright.adapters.state_machines import StepFunctionsStateMachines
from selfright.adapters.versions import LambdaVersions
from selfright.domain.release import FunctionRelease, Release, ReleaseRequest, ReleaseStatus, Rung, StopReason
from selfright.domain.release.steps import RollBackStep, Then
from selfright.domain.serving import AliasState
from selfright.usecases.roll_back_release import READ_AT_ONCE, roll_back_release

NAMES = ("rollback.20_functions", "rollback.20_functions.calls")
FUNCTIONS = 20
ANSWER_SECONDS = 0.05  # of a call to the control plane of Lambda, and to DynamoDB, from the same Region
ROUNDS = 5
# Two looks for each write, four at a time: half as much again as the writes alone.
BUDGET = 2.0
CALLS_BUDGET = 3.5  # for each function, all others with them


class _Region(ThreadingHTTPServer):
    """`aliases`: the version and the weights that each one is at."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.asked = 0
        self.release = ""
        self.aliases: dict[str, dict[str, Any]] = {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Region

    def do_GET(self) -> None:
        self._answer(self.server.aliases[self._function()])

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            alias = self.server.aliases[self._function()]
            alias |= {
                "FunctionVersion": asked["FunctionVersion"],
                "RoutingConfig": asked["RoutingConfig"],
                "RevisionId": f"{alias['RevisionId']}+",
            }
        self._answer(alias)

    def do_POST(self) -> None:
        """DynamoDB: the release is as it was read first; what is written on top of it is taken."""
        self.rfile.read(int(self.headers["Content-Length"]))
        reading = self.headers["X-Amz-Target"].endswith(".GetItem")
        fence = {"Attributes": {"fence": {"N": "1"}}}
        self._answer({"Item": {"doc": {"S": self.server.release}}} if reading else fence)

    def _function(self) -> str:
        found = re.search(r"/functions/([^/]+)/aliases/", self.path)
        if found is None:
            raise BenchmarkError(f"nobody answers {self.path}")
        return found[1]

    def _answer(self, document: dict[str, Any]) -> None:
        with self.server.lock:
            self.server.asked += 1
        time.sleep(ANSWER_SECONDS)
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


def rows(only: str) -> Iterator[Row]:
    if not any(name.startswith(only) for name in NAMES):
        return
    release = _stopped_release()
    with _region(release) as region:
        aws = Aws()
        figures = interleaved(
            {
                "room": lambda: _timed(region, release, lambda: _roll_back(aws)),
                "one by one": lambda: _timed(region, release, lambda: _bare(aws, release, 1)),
                "at once": lambda: _timed(region, release, lambda: _bare(aws, release, READ_AT_ONCE)),
            },
            ROUNDS,
        )
        before = region.asked
        _timed(region, release, lambda: _roll_back(aws))
        calls = region.asked - before
    seconds, floor = figures.median("room"), figures.ratio("room", "one by one")
    note = (
        f"every call answered after {ANSWER_SECONDS * 1000:.0f} ms; {figures.ratio('room', 'at once'):.1f} x"
        f" {READ_AT_ONCE} UpdateAlias at a time"
    )
    yield judged(NAMES[0], seconds, "s", "20 bare UpdateAlias, one by one", floor, BUDGET, note)
    quota = f"at 15 a second, Lambda's quota, not below {3 * FUNCTIONS / 15:.0f} s"
    yield judged(NAMES[1], calls, "calls", "20 bare UpdateAlias", calls / FUNCTIONS, CALLS_BUDGET, quota)


def _timed(region: _Region, release: Release, run: Callable[[], None]) -> float:
    """Seconds from a verdict, with all aliases half-way, until they are back. Raises BenchmarkError."""
    half_way = {
        "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.25}},
        "RevisionId": "r1",
    }
    region.aliases = {f.function: {**half_way} for f in release.functions}
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    left = [a for a in region.aliases.values() if a["RoutingConfig"].get("AdditionalVersionWeights")]
    if left:
        raise BenchmarkError(f"{len(left)} aliases are half-way still")
    return seconds


def _roll_back(aws: Aws) -> None:
    word = roll_back_release(
        RollBackStep(release_id="shop-42"),
        releases=DynamoDBReleaseLedger(aws, "ledger"),
        leases=DynamoDBLeases(aws, "ledger"),
        functions=LambdaFunctions(aws),
        versions=LambdaVersions(aws),
        state_machines=StepFunctionsStateMachines(
            aws, "arn:aws:states:eu-central-1:123456789012:stateMachine:"
        ),
        clock=SystemClock(),
    )
    if word.next is not Then.CLOSE:
        raise BenchmarkError(f"the room said {word.next}")


def _bare(aws: Aws, release: Release, at_once: int) -> None:
    """Nothing but the writes: no look before or after, no ledger."""
    client = aws.client("lambda")

    def update(function: FunctionRelease) -> None:
        client.update_alias(
            FunctionName=function.function,
            Name=function.alias,
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {}},
        )

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        list(pool.map(update, release.functions))


def _stopped_release() -> Release:
    """A quarter of the requests at the new versions, and the verdict is on record."""
    now = datetime.now(UTC)
    request = {
        "release_id": "shop-42",
        "workload": "shop",
        "environment": "development",
        "commit": "0123456789abcdef",
        "committed_at": now - timedelta(hours=1),
        "requested_by": "benchmark",
        "reason": "twenty functions",
    }
    functions = tuple(
        FunctionRelease(
            key=f"function-{n:02d}",
            function=f"shop-{n:02d}",
            alias="live",
            before=AliasState(version="1", revision="r0"),
            candidate="2",
        )
        for n in range(FUNCTIONS)
    )
    return Release(
        request=ReleaseRequest.model_validate(request),
        requested_at=now,
        status=ReleaseStatus.RUNNING,
        rungs=(Rung(percent=25, seconds=600), Rung(percent=100, seconds=300)),
        functions=functions,
        shifts=(now,),
        stop=StopReason.WORSE_THAN_BEFORE,
        why="benchmark",
        evidence_at=now,
    )


@contextmanager
def _region(release: Release) -> Iterator[_Region]:
    """An AWS that knows this release, and this process pointed at it."""
    with _Region() as region:
        region.release = release.model_dump_json()
        threading.Thread(target=region.serve_forever, daemon=True).start()
        settings = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{region.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield region
        finally:
            region.shutdown()
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
