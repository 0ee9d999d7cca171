"""Run a runbook's checks at the same time. A check that fails leaves its findings unknown, never false."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from selfright.domain.errors import BusyError, SelfrightError, SourceDownError
from selfright.domain.incident import Entry, EntryKind
from selfright.domain.manifest import Workload
from selfright.domain.runbook import CheckStep, Runbook
from selfright.domain.steps import Next, StepResult
from selfright.ports import Check, IncidentStore, Instruments


def run_checks(
    incident_id: str,
    attempt: int,
    *,
    workloads: Mapping[str, Workload],
    runbooks: Mapping[str, Runbook],
    checks: Mapping[str, Check],
    instruments: Instruments,
    store: IncidentStore,
) -> StepResult:
    """Save the findings and facts of attempt `attempt`.

    A check whose source did not answer is run once more when all are through: a throttled second wakes nobody.

    Raises NotFoundError where the incident does not exist, BusyError where a resource is being changed right now.
    """
    case = store.case(incident_id)
    runbook = runbooks[str(case.incident.runbook)]
    resource = workloads[case.incident.workload].resource(case.incident.resource)

    findings: dict[str, bool | None] = {}
    facts: dict[str, Any] = {}
    failed: dict[str, str] = {}

    unanswered: list[CheckStep] = []

    def run(step: CheckStep) -> None:
        check = checks[step.use]
        failed.pop(step.use, None)
        try:
            result = check(instruments, resource, step.parameters)
        except BusyError:
            raise  # an undo of ours may be under way; what is seen now would rule the next remedy out
        # A number that no arithmetic can be done with is as good as none.
        except (SelfrightError, ArithmeticError, ValueError) as error:
            failed[step.use] = str(error)
            if isinstance(error, SourceDownError):
                unanswered.append(step)
            findings.update(dict.fromkeys(check.declaration.findings))
        else:
            findings.update(result.findings)
            facts.update(result.facts)

    with ThreadPoolExecutor(max_workers=len(runbook.checks)) as pool:
        list(pool.map(run, runbook.checks))
    for step in tuple(unanswered):
        run(step)

    true = sorted(name for name, value in findings.items() if value)
    entry = Entry(
        key=f"attempt-{attempt}-checks",
        at=instruments.clock.now(),
        kind=EntryKind.CHECKS_RUN,
        text=", ".join(true) or "nothing found",
        detail={"findings": dict(sorted(findings.items())), "facts": facts, "failed": failed},
    )
    saved = case.attempt(attempt).model_copy(
        update={"findings": dict(sorted(findings.items())), "facts": facts}
    )
    store.save_attempt(incident_id, saved, [entry])
    return StepResult(next=Next.CHECK, attempt=attempt)
