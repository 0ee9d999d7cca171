"""Lines of a timeline that are written over: what any store does with them."""

from __future__ import annotations

import pytest

from selfright.domain.errors import SourceDownError
from selfright.domain.incident import Entry, EntryKind
from tests.unit.adapters.conftest import Ledger, Stubbed
from tests.unit.adapters.test_ledger_contract import NOW, opened


def line(key: str, text: str) -> Entry:
    return Entry(key=key, at=NOW, kind=EntryKind.PEOPLE_TOLD, text=text)


def test_a_later_line_of_the_same_key_takes_the_earlier_ones_place(ledger: Ledger):
    incident = str(opened(ledger).incident_id)

    ledger.store.note(incident, [line("told-held-a", "being told"), line("told-held-b", "being told")])
    ledger.store.note(incident, [line("told-held-a", "told")])

    case = ledger.store.case(incident)
    told = [e for e in case.timeline if e.kind is EntryKind.PEOPLE_TOLD]
    assert sorted((e.key, e.text) for e in told) == [("told-held-a", "told"), ("told-held-b", "being told")]
    assert case.incident.runbook is None


def test_a_note_that_cannot_be_written_is_not_kept_quiet(stubbed: Stubbed):
    from selfright.adapters.ledger import DynamoDBIncidentStore

    stubbed.refuse("dynamodb", "transact_write_items", "InternalServerError")

    with pytest.raises(SourceDownError, match="writing to the ledger"):
        DynamoDBIncidentStore(stubbed.aws, "ledger").note("inc-1", [line("told-held-a", "told")])
