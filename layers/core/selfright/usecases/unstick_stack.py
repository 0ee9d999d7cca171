"""Let CloudFormation go on with a roll-back that got stuck, perhaps without the resources that are in its way."""

from __future__ import annotations

from collections.abc import Sequence

from selfright.domain.errors import RefusedError
from selfright.domain.manifest import Workload
from selfright.stack_ports import Stacks

STUCK = "UPDATE_ROLLBACK_FAILED"


def unstick_stack(workload: Workload, skip: Sequence[str], *, stacks: Stacks) -> str | None:
    """What was done, for people; None where the stack is not stuck, or the workload has none.

    `skip`: resources that are left as they are, which may be neither the old nor the new state: a person's word.
    Raises RefusedError where the stack is in a state that this does not help, or nothing is there to be skipped.
    """
    name = workload.deployment.stack
    if name is None and not skip:
        return None
    state = stacks.state(name) if name else None
    if name is None or state is None or state.status != STUCK:
        if skip:
            raise RefusedError(f"nothing can be skipped: {name or 'no stack'} is not {STUCK}")
        if state and not state.moving and (objection := state.objection()):
            raise RefusedError(f"{name}: {objection}")
        return None
    stacks.go_on_rolling_back(name, skip)
    return f"{name} goes on rolling back" + (f" without {', '.join(skip)}" if skip else "")
