"""A shop whose checkout fails, in memory: what happens to its users follows from what is live and which flag is thrown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from selfright.adapters.runbook_files import load_runbook
from selfright.domain.alarms import State
from selfright.domain.gates import AlarmNow
from selfright.domain.manifest import load
from selfright.domain.runbook import Runbook, Shelf
from selfright.domain.serving import AliasState, Failure, FlagPlace, Release
from tests.fakes import FakeFlagBoard, FakeFunctions, FakeLogs
from tests.unit.usecases.world import MANIFEST, ROOT, WENT_OFF, World, alarm_definition, signal

FUNCTION = "shop-development-checkout"
ALARM = f"{FUNCTION}-errors"
RUNBOOK = "high-error-rate"
CIRCUIT = FlagPlace(
    application="shop-development", environment="development", profile="flags", flag="pay_later"
)
A_MINUTE = 40.0  # requests
BROKEN = timedelta(minutes=10)  # so long it has failed when the alarm goes off
MINUTE = timedelta(minutes=1)

Shares = tuple[float, float]  # of the requests: crashes, and answers with an error because of the payments


@cache
def runbook() -> Runbook:
    return load_runbook(ROOT / "runbooks" / f"{RUNBOOK}.yaml")


def manifest() -> dict[str, Any]:
    checkout = {
        "type": "lambda-function",
        "name": "{workload}-{environment}-checkout",
        "concurrency": {"min": 5, "max": 20},
        "circuits": {"payments": CIRCUIT.model_dump()},
    }
    return {
        **MANIFEST,
        "resources": {**MANIFEST["resources"], "checkout": checkout},
        "guards": [],
        "autonomy": {"runbooks": {RUNBOOK: "auto"}},
    }


class FailingShop(World):
    """Version 1 served well for an hour; since ten minutes `failing` says what becomes of the requests.

    `released`: version 2 went live at that moment. The alarm wants 10 of 10 minutes above 5 %.
    """

    def __init__(self, failing: Callable[[FailingShop], Shares], *, released: bool) -> None:
        super().__init__(load(manifest(), {}, "development"))
        self.runbooks = {RUNBOOK: runbook()}
        self.shelf = Shelf(self.runbooks.values())
        self.failing = failing
        self.refused = 0.0
        began = WENT_OFF - BROKEN
        releases = [Release(version="1", published_at=WENT_OFF - timedelta(days=3))]
        self.lambda_ = FakeFunctions(FUNCTION, AliasState(version="1", revision="r"), releases)
        self.cloudwatch_logs, self.appconfig = FakeLogs(), FakeFlagBoard(CIRCUIT)
        self.functions: Any = self.fuse.guard("functions", self.lambda_)
        self.logs: Any = self.fuse.guard("logs", self.cloudwatch_logs)
        self.flags: Any = self.fuse.guard("flags", self.appconfig)

        self.cloudwatch.add(
            alarm_definition(ALARM, EvaluationPeriods=10),
            AlarmNow(state=State.ALARM, since=WENT_OFF),
        )
        for n in range(60):
            self.lambda_.serve("1", began - timedelta(hours=1) + n * MINUTE, A_MINUTE)
        if released:
            self.lambda_.published.append(Release(version="2", published_at=began))
            self.lambda_.now = AliasState(version="2", revision="r2")
        self.users(began, WENT_OFF)

    @property
    def live(self) -> str:
        return self.lambda_.now.version

    @property
    def circuit_open(self) -> bool:
        return self.appconfig.flags[CIRCUIT]

    def users(self, start: datetime, end: datetime) -> None:
        """What becomes of the requests of every minute that begins in [start, end), as things stand."""
        minute = start.replace(second=0) + (MINUTE if start.second else timedelta())
        while minute < end:
            crashes, answers = self.failing(self)
            self.lambda_.serve(self.live, minute, A_MINUTE, crashes * A_MINUTE, self.refused)
            self.cloudwatch_logs.lines += [
                Failure(
                    at=minute + timedelta(seconds=1),
                    version=self.live,
                    error="PaymentsUnavailableError",
                    dependency="payments",
                    message="payments: timed out",
                )
            ] * round(answers * A_MINUTE)
            self.cloudwatch.report(ALARM, minute, minute + MINUTE, 100 * (crashes + answers))
            minute += MINUTE

    def pass_time(self, seconds: float) -> None:
        start = self.clock.now()
        self.clock.advance(seconds)
        self.users(start, self.clock.now())

    def goes_off(self) -> str:
        """The incident that the alarm opens."""
        return self.receive(signal(alarm=ALARM))
