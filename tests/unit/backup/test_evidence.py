"""Evidence: what it says, that a change to it shows, and that its page shows text as text."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from selfright.domain.backup.comparison import Difference, Kind
from selfright.domain.backup.evidence import FIRST, Evidence, evidence_of, first_break
from selfright.domain.backup.evidence_page import evidence_page
from selfright.domain.backup.verdict import BackupCheck, CheckName, Verdict
from tests.unit.backup.builders import BEGAN, a_test, compared

ALL_PASSED = tuple(BackupCheck(name=name, verdict=Verdict.PASS, reason="so it is") for name in CheckName)
ENDED = BEGAN + timedelta(minutes=40)


def evidence(previous: str = FIRST, **test: Any) -> Evidence:
    return evidence_of(a_test(**test), ALL_PASSED, compared(), previous=previous, now=ENDED)


def chain(length: int) -> list[dict[str, Any]]:
    documents, previous = [], FIRST
    for number in range(length):
        one = evidence(previous, id=f"rt-{number:012}")
        documents.append(json.loads(one.text()))
        previous = one.hash
    return documents


def test_evidence_of_a_good_backup():
    found = evidence()
    assert found.verdict is Verdict.PASS
    assert (found.rpo_seconds, found.rto_seconds) == (300.0, 1504.0)
    assert [check.name for check in found.checks] == list(CheckName)


def test_a_test_that_failed_on_its_way_is_no_pass_whatever_its_checks_say():
    assert evidence(failure="States.Timeout: too slow").verdict is Verdict.INCONCLUSIVE


def test_checks_that_were_not_made_are_shown_as_not_known():
    found = evidence_of(a_test(), (), None, previous=FIRST, now=ENDED)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert {check.verdict for check in found.checks} == {Verdict.INCONCLUSIVE}
    assert len(found.checks) == 8


def test_a_chain_holds():
    assert first_break(chain(3)) is None
    assert first_break([]) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_change_breaks_the_chain_at_its_place(place: int):
    documents = chain(3)
    documents[place]["checks"][2]["verdict"] = "FAIL"
    assert first_break(documents) == place


def test_a_document_taken_out_or_put_elsewhere_breaks_the_chain():
    first, second, third = chain(3)
    assert first_break([first, third]) == 1
    assert first_break([second, third]) == 0
    assert first_break([first, third, second]) == 1


def test_a_change_that_brings_its_own_hash_breaks_the_next_link():
    first, second, third = chain(3)
    forged = Evidence.model_validate(second).model_copy(update={"verdict": Verdict.FAIL}).sealed
    assert first_break([first, json.loads(forged.text()), third]) == 2


def test_the_page_shows_text_as_text():
    hostile = '<script>alert("x")</script>'
    found = evidence_of(
        a_test(table=hostile, failure=hostile, workload=hostile),
        [BackupCheck(name=CheckName.INTEGRITY, verdict=Verdict.FAIL, reason=hostile)],
        compared(counts={Kind.CHANGED: 1}, differences=(Difference(key=hostile, kind=Kind.CHANGED),)),
        previous=FIRST,
        now=ENDED,
    )
    page = evidence_page(found)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") == 6
    assert "FAIL" in page


def test_the_page_names_all_eight_checks():
    page = evidence_page(evidence())
    for name in CheckName:
        assert f"<td>{name}</td>" in page
    assert "1504 s" in page
