"""Write down for good what a restore test found, as JSON and as a page."""

from __future__ import annotations

from selfright.backup_ports import EvidenceBucket, RestoreTests
from selfright.domain.backup.evidence import FIRST, evidence_of
from selfright.domain.backup.evidence_page import evidence_page
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.domain.errors import ConflictError, NotFoundError
from selfright.ports import Clock

LINK_TRIES = 5


def record_evidence(
    test_id: str, failure: str | None, *, tests: RestoreTests, bucket: EvidenceBucket, clock: Clock
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
    for _ in range(LINK_TRIES):
        previous = tests.newest_hash(test.workload, test.environment)
        found = evidence_of(test, test.checks, test.comparison, previous=previous or FIRST, now=clock.now())
        folder = f"evidence/{test.workload}/{test.environment}/{test.began_at:%Y/%m/%d}/{test.id}"
        bucket.write(f"{folder}.json", found.text(), "application/json")
        bucket.write(f"{folder}.html", evidence_page(found), "text/html; charset=utf-8")
        concluded = test.model_copy(update={"verdict": found.verdict, "evidence": f"{folder}.json"})
        try:
            tests.conclude(concluded, previous, found.hash)
        except ConflictError:
            continue  # another test ended meanwhile: this one comes after it, and is written once more
        return RestoreStepResult(next=Next.GO, test=test.id, verdict=found.verdict)
    raise ConflictError(f"the evidence of {test.id} was overtaken {LINK_TRIES} times")
