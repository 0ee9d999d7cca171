"""Ask every gate, in order; and what each of them is about, for the generated page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from selfright.domain.gates import permission, restraint
from selfright.domain.gates.answers import Gate, GateResult, Reason, Verdict
from selfright.domain.gates.facts import GateFacts
from selfright.domain.gates.history import (
    CAUSED_WITHIN,
    CHANGES_PER_TARGET,
    FAILURES_IN_A_ROW,
    FLAPS,
    INEFFECTIVE_REPEATS,
    MAX_CAUSAL_DEPTH,
)
from selfright.domain.gates.storm import LEAST


class AskedGate(NamedTuple):
    answer: Callable[[GateFacts], GateResult]
    looks_at: str
    threshold: str
    """Where the number that it compares with comes from."""
    reasons: tuple[Reason, ...]
    """Why it can say anything but go."""


GATES: dict[Gate, AskedGate] = {
    Gate.KILL_SWITCH: AskedGate(
        permission.kill_switch,
        "Whether people have switched all automation off.",
        "the switch board (AppConfig)",
        (Reason.SWITCHED_OFF, Reason.SOURCE_DOWN),
    ),
    Gate.WINDOW: AskedGate(
        permission.window,
        "Whether people work on the workload, or changes are frozen.",
        "`windows` of the manifest",
        (Reason.MAINTENANCE_WINDOW, Reason.CHANGE_FREEZE),
    ),
    Gate.STALE_EPISODE: AskedGate(
        permission.stale_episode,
        "Whether the alarm is on still, since the moment that this incident is about, and not for too long.",
        "`limits.stale_after_seconds`",
        (
            Reason.ALARM_OVER,
            Reason.ALARM_GONE,
            Reason.OTHER_EPISODE,
            Reason.EPISODE_TOO_OLD,
            Reason.SOURCE_DOWN,
        ),
    ),
    Gate.MUTED: AskedGate(
        permission.muted,
        "Whether people muted or suppressed the alarm or disabled its actions.",
        "the alarm and its mute rules (CloudWatch)",
        (
            Reason.ALARM_MUTED,
            Reason.ACTIONS_SUPPRESSED,
            Reason.ACTIONS_DISABLED,
            Reason.SOURCE_DOWN,
        ),
    ),
    Gate.RELEASE: AskedGate(
        permission.release,
        "Whether a release of the alarm's set answers for it: then it goes back, and nothing else is changed.",
        "`deployment.regret_seconds`; after a roll-back `verification.settle_seconds` and the metrics' delay",
        (Reason.RELEASE_ANSWERS, Reason.SOURCE_DOWN),
    ),
    Gate.STORM: AskedGate(
        restraint.storm,
        "How many of the workload's resources are in trouble, those that are being remedied included.",
        f"`limits.unhealthy_share`, from {LEAST} resources on; a storm ends below half of it",
        (Reason.TOO_MANY_IN_TROUBLE, Reason.SOURCE_DOWN),
    ),
    Gate.PROTECTED: AskedGate(
        permission.protected,
        "Whether the resource may be changed by a machine at all.",
        "`resources.<name>.protected`",
        (Reason.RESOURCE_PROTECTED,),
    ),
    Gate.ABSURD: AskedGate(
        permission.absurd_input,
        "Whether every number of checks and plan can be true.",
        "built in (domain/gates/sanity.py)",
        (Reason.IMPOSSIBLE_NUMBER,),
    ),
    Gate.VERIFIABLE: AskedGate(
        permission.verifiable,
        "Whether the alarm's own rule could prove that a change helped; a composite's or a band's cannot.",
        "the alarm (CloudWatch)",
        (Reason.NO_VERDICT_POSSIBLE, Reason.SOURCE_DOWN),
    ),
    Gate.AUTONOMY: AskedGate(
        permission.autonomy,
        "How far the runbook may go by itself for this workload.",
        "`autonomy` of the manifest, lowered by the switch board",
        (
            Reason.OBSERVE_ONLY,
            Reason.SUGGEST_ONLY,
            Reason.NEEDS_APPROVAL,
            Reason.SOURCE_DOWN,
        ),
    ),
    Gate.FLAPPING: AskedGate(
        permission.flaps,
        "How often the alarm went on and off; one that flaps needs people until it was quiet for an hour.",
        f"built in: {FLAPS} changes of state within an hour",
        (Reason.ALARM_FLAPS, Reason.SOURCE_DOWN),
    ),
    Gate.OWN_ACTION: AskedGate(
        restraint.own_action,
        "Whether the alarm went off because of our own change, in a chain; and how often the target was changed.",
        f"built in: chains of {MAX_CAUSAL_DEPTH} incidents, each within {CAUSED_WITHIN.seconds // 60} min of the "
        f"change before; {CHANGES_PER_TARGET} changes to a target in 24 h",
        (Reason.CAUSED_BY_US, Reason.TARGET_SPENT, Reason.SOURCE_DOWN),
    ),
    Gate.ATTEMPTS: AskedGate(
        restraint.attempts,
        "How many remedies this incident has had, and how often this remedy did not help this target.",
        f"`limits.attempts`; built in: {INEFFECTIVE_REPEATS} repeats without effect in 24 h",
        (Reason.TOO_MANY_ATTEMPTS, Reason.INEFFECTIVE_CHAIN, Reason.SOURCE_DOWN),
    ),
    Gate.FAILURES: AskedGate(
        restraint.failures,
        "How many changes to the target failed in a row; a success that holds for an hour ends the row.",
        f"built in: {FAILURES_IN_A_ROW} in a row block the target for an hour",
        (Reason.FAILED_TOO_OFTEN, Reason.SOURCE_DOWN),
    ),
    Gate.BACK_OFF: AskedGate(
        restraint.back_off,
        "How long ago the last failed change to the target was made.",
        "built in: 1, 2, 4, 8, 10 min after so many failures in a row",
        (Reason.BACKING_OFF, Reason.SOURCE_DOWN),
    ),
    Gate.COOL_DOWN: AskedGate(
        restraint.cool_down,
        "How long ago another incident changed the target.",
        "`limits.cooldown_seconds`",
        (Reason.TOO_SOON, Reason.SOURCE_DOWN),
    ),
    Gate.BUDGET: AskedGate(
        restraint.budget,
        "How many changes the workload had in the last hour and the last 24; counted with the change's own record.",
        "`limits.actions_per_hour`, `limits.actions_per_day`",
        (Reason.HOUR_SPENT, Reason.DAY_SPENT, Reason.SOURCE_DOWN),
    ),
    Gate.LEASE: AskedGate(
        restraint.lease,
        "Whether another incident may change the target now.",
        "one owner at a time; `limits.lease_seconds`",
        (Reason.HELD_BY_ANOTHER, Reason.SOURCE_DOWN),
    ),
    Gate.BLAST_RADIUS: AskedGate(
        restraint.blast_radius,
        "How many resources the plan touches, and how large its step is.",
        "`limits.max_resources`, `limits.max_increase_factor`",
        (Reason.TOO_MANY_RESOURCES, Reason.TOO_LARGE_A_STEP),
    ),
}


def ask_gates(facts: GateFacts) -> tuple[GateResult, ...]:
    """Every gate's verdict on `facts`, in order."""
    return tuple(GATES[gate].answer(facts) for gate in Gate)


def overall(results: Sequence[GateResult]) -> GateResult | None:
    """The verdict that decides: the first stop, else the first ask, else None (go)."""
    for verdict in (Verdict.STOP, Verdict.ASK):
        for result in results:
            if result.verdict is verdict:
                return result
    return None
