"""Write down for good what a restore test found, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Mapping

from selfright.backup_ports import EvidenceBucket, RestoreTests
from selfright.domain.backup.evidence import FIRST, concluded, evidence_of
from selfright.domain.backup.evidence_page import evidence_page
from selfright.domain.backup.history import NIGHTS, Measured, history_of
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.domain.errors import ConflictError, NotFoundError
from selfright.domain.manifest import Workload
from selfright.ports import Clock

LINK_TRIES = 5


def record_evidence(
    test_id: str,
    failure: str | None,
    *,
    workloads: Mapping[str, Workload],
    tests: RestoreTests,
    bucket: EvidenceBucket,
    clock: Clock,
) -> RestoreStepResult:
    """Give the verdict and link its evidence to the one before. A repetition changes nothing.

    `failure` is set where a station failed for good: then the verdict is no PASS, whatever was found before.
    Raises NotFoundError where there is no such test, ConflictError where too many tests end at once,
    SourceDownError.
    """
    test = tests.find(test_id)
    if test is None:
        raise NotFoundError(f"there is no restore test {test_id}")
    if test.verdict is not None:
        return RestoreStepResult(next=Next.GO, test=test.id, verdict=test.verdict)
    test = test.model_copy(update={"failure": failure})
    now, policy = clock.now(), workloads[test.workload].backup
    before = tests.history(test.workload, test.environment, test.resource, NIGHTS - 1)
    measured = Measured(
        test=test.id,
        ended_at=now,
        verdict=concluded(test, test.checks),
        rpo_seconds=test.rpo_seconds,
        rto_seconds=test.rto_seconds,
    )
    history = history_of([measured, *before], rpo_allowed=policy.rpo_seconds, rto_allowed=policy.rto_seconds)
    for _ in range(LINK_TRIES):
        previous = tests.newest_hash(test.workload, test.environment)
        found = evidence_of(
            test, test.checks, test.comparison, previous=previous or FIRST, now=now, history=history
        )
        folder = f"evidence/{test.workload}/{test.environment}/{test.began_at:%Y/%m/%d}/{test.id}"
        bucket.write(f"{folder}.json", found.text(), "application/json")
        bucket.write(f"{folder}.html", evidence_page(found), "text/html; charset=utf-8")
        over = test.model_copy(update={"verdict": found.verdict, "evidence": f"{folder}.json"})
        try:
            tests.conclude(over, None if test.plant else measured, previous, found.hash)
        except ConflictError:
            continue  # another test ended meanwhile: this one comes after it, and is written once more
        return RestoreStepResult(next=Next.GO, test=test.id, verdict=found.verdict)
    raise ConflictError(f"the evidence of {test.id} was overtaken {LINK_TRIES} times")
