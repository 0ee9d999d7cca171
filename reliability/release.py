"""`deploy` and `roll_back`: three functions go out as one set, or come back as one.

A release is good and completed; or its new versions fail and it is taken back; or a completed one is taken back by
hand; or its execution is stopped half-way, and the sweep has it taken back. Which rooms there are is read from the
definitions.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import count

from reliability.cases import SDK_TRIES, Mode
from reliability.definitions import rooms_of
from reliability.release_world import ReleaseWorld
from reliability.scenes import Ending, NoEndError
from sandbox.emulator.faults import Call
from selfright.domain.manifest import ChannelType
from selfright.domain.release import Milestone, Release, ReleaseFile, ReleaseStatus
from selfright.usecases.lost_releases import GRACE

SWEEP_EVERY = timedelta(minutes=5)
# Seconds of the wall: the alarms on failed executions take two minutes of the sandbox's.
TELLING = 15
ALARMS = ("DeployFailed", "RollBackFailed")
MACHINES = {"deploy": "Deploy", "roll_back": "RollBack"}
# Who starts them: only killed, and only where something is changed.
STARTED_BY = {"deploy": "RequestRelease", "roll_back": "Sweep"}
UNCHANGED = {ReleaseStatus.ROLLED_BACK, ReleaseStatus.REFUSED}


class ReleaseScene:
    """`failing`: the new versions do. `by_hand`: a completed one is taken back. `stopped`: after its first shift."""

    def __init__(
        self,
        world: ReleaseWorld,
        name: str,
        *,
        failing: bool = False,
        by_hand: bool = False,
        stopped: bool = False,
    ) -> None:
        self.name, self._world, self._failing = name, world, failing
        self._by_hand, self._stopped = by_hand, stopped
        machine = name.split("/", maxsplit=1)[0]
        starter = STARTED_BY[machine]
        physical = world.physical
        self.callers: Mapping[str, str] = {physical[room]: room for room in (*rooms_of(machine), starter)} | {
            world.role(MACHINES[machine]): MACHINES[machine]
        }
        self.only_killed = frozenset({starter})
        # The rooms that `roll_back` has are made to fail, be throttled and be late in `deploy`.
        self.modes: tuple[Mode, ...] = (
            (Mode.DOWN, Mode.KILL_BEFORE, Mode.KILL_AFTER) if machine == "roll_back" else tuple(Mode)
        )
        self.meant = ReleaseStatus.ROLLED_BACK if failing or by_hand or stopped else ReleaseStatus.COMPLETED
        self._numbers = count(1)
        self._release_id, self._began, self._swept_at, self._swept = "", world.now(), world.now(), False
        self._executions: set[str] = set()
        self._told: list[str] = []
        self._file: ReleaseFile | None = None

    def named(self, resource: str) -> str:
        return self._world.named(resource)

    def alike(self, call: Call) -> str:
        """The functions of the set are, and what CloudWatch tells of them."""
        resource = self.named(call.resource)
        of_the_set = resource == "any" or resource.partition(":")[0] in self._world.functions
        return "the set" if of_the_set else f"{resource} {call.nth}"

    def reset(self) -> None:
        self._world.put_back()
        if self._by_hand:
            self._world.make_completed(self._complete_one)

    def run(self) -> Ending:
        world = self._world
        self._begin()
        if self._by_hand:
            self._release_id = world.completed_id
            world.roll_back(self._release_id)
        else:
            self._release_id = f"{self.name.replace('/', '-').replace('_', '-')}-{next(self._numbers)}"
            world.ask(self._release_id, failing=self._failing)
        if self._stopped:
            world.until("the traffic is shifted", lambda: world.weights() == len(world.functions))
            world.stop("Deploy", self._release_id)
        world.until(f"{self._release_id} is over", self._over)
        file = self._file = world.ledger.file(self._release_id)
        with contextlib.suppress(NoEndError):  # then `broken` says so
            world.until("people are told", self._hear, seconds=TELLING)
        return self._ending(file)

    def _begin(self) -> None:
        self._began, self._told, self._file = self._world.now(), [], None
        self._swept_at, self._swept = self._world.now(), False
        self._executions = set(self._world.executions())

    def _complete_one(self) -> str:
        """A release that is live: what a person takes back."""
        self._begin()
        self._release_id = f"completed-{next(self._numbers)}"
        self._world.ask(self._release_id, failing=False)
        self._world.until("a release is completed", self._over)
        if (status := self._world.ledger.release(self._release_id).status) is not ReleaseStatus.COMPLETED:
            raise NoEndError(f"a release that was to be completed is {status}")
        return self._release_id

    def _over(self) -> bool:
        """Nobody works on it, it is closed, and the next one may come; with the sweep's help where it is due."""
        world = self._world
        self._hear()
        executions = {arn: e for arn, e in world.executions().items() if arn not in self._executions}
        if any(e["status"] == "RUNNING" for e in executions.values()):
            return False
        file = world.file(self._release_id)
        if executions and file and file.release.over and world.lock_holder() is None:
            return True
        if world.now() - self._began > GRACE and world.now() - self._swept_at >= SWEEP_EVERY:
            self._swept_at, self._swept = world.now(), True
            world.sweep()
        return False

    def _hear(self) -> bool:
        """What people got of its end: a notice, or the alarm that its execution failed."""
        world = self._world
        alarms = [world.physical[alarm] for alarm in ALARMS]
        mails = [f"{mail.get('Subject', '')}\n{mail['Message']}" for mail in world.inbox.drain()]
        self._told += [m for m in mails if self._ends(m) or any(alarm in m for alarm in alarms)]
        chat = map(json.dumps, world.collector.taken(ChannelType.SLACK))
        self._told += [text for text in chat if self._ends(text) and text not in self._told]
        return bool(self._told)

    def _ends(self, text: str) -> bool:
        """It tells how this release ended, or that it cannot be put back."""
        ends = (Milestone.CLOSED, Milestone.FAILED)
        return any(f"{self._release_id}: {milestone}" in text for milestone in ends)

    def _ending(self, file: ReleaseFile) -> Ending:
        world = self._world
        mine = [arn for arn in world.executions() if arn not in self._executions]
        states, retried = world.history(mine)
        alone = [name for name in states if name == "Roll the release back"]
        meant_to = self._failing or self._by_hand or self._stopped
        return Ending(
            outcome=file.release.status.value,
            stands=world.stands(),
            told=len(self._told),
            retried=retried,
            caught="Close after a failure" in states or bool(alone and not meant_to),
            rescued=self._swept and (not self._stopped or "Not closed" in states),
        )

    def as_meant(self, ending: Ending, calls: Sequence[Call]) -> bool:
        del calls
        return ending.outcome == self.meant.value and ending.told > 0

    def broken(self, ending: Ending, calls: Sequence[Call]) -> list[str]:
        world, file, found = self._world, self._file, list[str]()
        if file is None:
            return ["there is no release"]
        release = file.release
        for_good = sum(bool(call.struck) for call in calls) > SDK_TRIES
        if release.status is ReleaseStatus.COMPLETED:
            found += self._wrongly_completed(file, for_good=for_good)
        elif release.status is ReleaseStatus.ROLLBACK_FAILED:
            found += [] if for_good else ["it could not be put back, though nothing is down for good"]
        elif release.status not in UNCHANGED:
            found.append(f"ended {release.status}")
        found += self._wrongly_live(release)
        if not ending.told:
            found.append("nobody was told")
        if holder := world.lock_holder():
            found.append(f"the lock is held by {holder}")
        if lost := world.waiting("SignalsDeadLettersUrl"):
            found.append(f"{lost} messages in the dead-letter queue")
        return found

    def _wrongly_completed(self, file: ReleaseFile, *, for_good: bool) -> list[str]:
        judged = [line for line in file.log if line.milestone is Milestone.JUDGED]
        passed = [line for line in judged if line.detail["verdict"] == "PASS"]
        if self._by_hand:
            return [] if for_good else ["it was not taken back"]
        if len(passed) < len(file.release.rungs) or self.meant is not ReleaseStatus.COMPLETED:
            return [f"completed with {len(passed)} gates passed of {len(file.release.rungs)}"]
        return []

    def _wrongly_live(self, release: Release) -> list[str]:
        """Where it is over, and people are not asked to put it right, the whole set is on one side."""
        if release.status is ReleaseStatus.ROLLBACK_FAILED:
            return []
        wanted = {f.key: f.before.version for f in release.functions} or self._world.base
        if release.status is ReleaseStatus.COMPLETED:
            wanted = wanted | {f.key: str(f.candidate) for f in release.changing}
        live, found = self._world.live(), ["weights are left"] if self._world.weights() else []
        return found if live == wanted else [*found, f"{release.status}, but live are {live}"]
