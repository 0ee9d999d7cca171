"""What every room of `recover` does first and last: read the record, ask the gates afresh, say where to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from selfright.domain.errors import ConflictError, NotFoundError
from selfright.domain.manifest import Workload
from selfright.domain.recovery.planning import LEASE, StepFacts, objections
from selfright.domain.recovery.record import Act, Recovery, Status
from selfright.domain.recovery.request import Scenario
from selfright.domain.recovery.steps import Go, RecoverWord
from selfright.domain.release.record import lock_of
from selfright.ports import Clock, Leases, SwitchBoard
from selfright.restoring_ports import Recoveries

POLL_SECONDS = 30


@dataclass(frozen=True)
class Desk:
    """`recover`'s record and its gates. A fact that cannot be read raises SourceDownError: nothing is done."""

    workloads: Mapping[str, Workload]
    recoveries: Recoveries
    switches: SwitchBoard
    leases: Leases
    clock: Clock

    def open(self, recovery_id: str) -> Recovery:
        """Raises NotFoundError."""
        found = self.recoveries.find(recovery_id)
        if found is None:
            raise NotFoundError(f"there is no recovery {recovery_id}")
        return found

    def against(self, recovery: Recovery) -> tuple[str, ...]:
        """What stands against its next step now. Takes the lease, or holds it on."""
        now = self.clock.now()
        holder = None
        try:
            self.leases.acquire(recovery.place, recovery.id, now + LEASE, now)
        except ConflictError:
            holder = self.leases.holder(recovery.place, now) or "somebody else"
        if recovery.asked.scenario is Scenario.CODE:  # a release moves aliases under a lease of its own
            lock = lock_of(recovery.asked.workload, recovery.asked.environment)
            holder = holder or self.leases.holder(lock, now)
        facts = StepFacts(kill_switch=self.switches.read().kill_switch, lease_holder=holder)
        return objections(recovery, self.workloads[recovery.asked.workload], facts, now)

    def save(self, recovery: Recovery, wait: int = 0) -> RecoverWord:
        """Write it down and say which room is next."""
        self.recoveries.save(recovery)
        return self.word(recovery, wait)

    def stop(self, recovery: Recovery, why: tuple[str, ...], status: Status = Status.FAILED) -> RecoverWord:
        return self.save(recovery.but(status=status, why=(*recovery.why, *why)))

    def done(self, recovery: Recovery, act: Act, result: str) -> RecoverWord:
        return self.save(recovery.done(act, self.clock.now(), result))

    @staticmethod
    def word(recovery: Recovery, wait: int = 0) -> RecoverWord:
        step = recovery.step
        over = recovery.status is not Status.RUNNING or step is None or recovery.told_enough
        go = Go.CLOSE if over or step is None else Go(step.act.room)
        return RecoverWord(next=go, recovery=recovery.id, wait=wait)
