"""Which remedy comes next, and why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.errors import ManifestError
from selfright.domain.manifest import ResourceType, Symptom
from selfright.domain.runbook import Runbook, Shelf, Stuck, choose_remedy, parse_runbook
from tests.unit.usecases.world import runbook

PROSE = {
    part: ["Look."]
    for part in ("symptoms", "immediate_actions", "diagnosis", "resolution", "escalation", "prevention")
}


def small(**changes: Any) -> dict[str, Any]:
    return {
        "id": "small",
        "title": "Small",
        "severity": "low",
        "matches": {"resource_types": ["dynamodb-table"], "symptoms": ["throttling"]},
        **PROSE,
        "checks": [{"use": "a.check"}],
        "escalate_when": [{"finding": "hopeless", "say": "Call somebody."}],
        "remedies": [
            {"id": "first", "title": "First", "when": ["starved"], "unless": ["busy"], "use": "a.first"},
            {"id": "second", "title": "Second", "when": ["starved"], "use": "a.second"},
        ],
        **changes,
    }


def parsed(**changes: Any) -> Runbook:
    return parse_runbook("small.yaml", small(**changes))


FOUND: dict[str, bool | None] = {"starved": True, "busy": False, "hopeless": False}


def test_the_first_remedy_that_fits_is_chosen():
    choice = choose_remedy(parsed(), FOUND, tried=())

    assert choice.remedy
    assert (choice.remedy.id, choice.stuck) == ("first", None)


def test_what_was_tried_is_not_tried_again():
    choice = choose_remedy(parsed(), FOUND, tried={"first"})

    assert choice.remedy
    assert choice.remedy.id == "second"


def test_a_finding_for_people_comes_before_every_remedy():
    choice = choose_remedy(parsed(), {**FOUND, "hopeless": True}, tried=())

    assert choice.remedy is None
    assert (choice.stuck, choice.say) == (Stuck.PEOPLE_NEEDED, "Call somebody.")


def test_a_finding_for_people_may_wait_until_no_remedy_is_left():
    late = parsed(escalate_when=[{"finding": "hopeless", "say": "Call somebody.", "without_remedy": True}])
    found = {**FOUND, "hopeless": True}

    first = choose_remedy(late, found, tried=())
    last = choose_remedy(late, found, tried={"first", "second"})

    assert first.remedy
    assert (last.remedy, last.stuck, last.say) == (None, Stuck.PEOPLE_NEEDED, "Call somebody.")


@pytest.mark.parametrize("busy", [True, None])
def test_unless_holds_a_remedy_back_where_it_is_true_or_unknown(busy: bool | None):
    choice = choose_remedy(parsed(), {**FOUND, "busy": busy}, tried=())

    assert choice.remedy
    assert choice.remedy.id == "second"


def test_a_finding_that_nobody_reported_is_unknown():
    choice = choose_remedy(parsed(), {"starved": True}, tried={"second"})

    assert choice.remedy is None
    assert choice.stuck is Stuck.NOT_KNOWN_ENOUGH
    assert choice.say == "could not find out: busy"


def test_an_unknown_finding_is_no_excuse_where_a_known_one_rules_the_remedy_out():
    choice = choose_remedy(parsed(), {"starved": False, "busy": None}, tried=())

    assert choice.stuck is Stuck.NOTHING_APPLIES


def test_none_left_when_what_fits_was_tried():
    choice = choose_remedy(parsed(), FOUND, tried={"first", "second"})

    assert choice.stuck is Stuck.NONE_LEFT
    assert choice.say == "tried without success: first, second"


@pytest.mark.parametrize("cause", ["hot-partition", "on-demand-cap-reached", "account-limit-reached"])
def test_the_database_runbook_never_raises_capacity_where_that_cannot_help(cause: str):
    fitting: dict[str, bool | None] = {
        "throttled-by-provisioned-capacity": True,
        "undo-possible": True,
        "hot-partition": False,
        "on-demand-cap-reached": False,
        "account-limit-reached": False,
        "table-busy": False,
        "table-on-demand": False,
        "autoscaled": False,
        "capacity-at-limit": False,
        "on-demand-allowed": True,
    }
    helps = choose_remedy(runbook(), fitting, tried=())
    assert helps.remedy
    assert helps.remedy.id == "raise-capacity"

    assert choose_remedy(runbook(), {**fitting, cause: True}, tried=()).stuck is Stuck.PEOPLE_NEEDED
    assert choose_remedy(runbook(), {**fitting, cause: None}, tried=()).stuck is Stuck.NOT_KNOWN_ENOUGH


def test_a_runbook_is_found_by_its_symptoms_of_its_kinds_of_resource():
    shelf = Shelf([parsed()])

    assert shelf.find(ResourceType.DYNAMODB_TABLE, Symptom.THROTTLING) == parsed()
    assert shelf.find(ResourceType.DYNAMODB_TABLE, Symptom.LATENCY) is None
    assert shelf.find(ResourceType.LAMBDA_FUNCTION, Symptom.THROTTLING) is None


def test_of_two_runbooks_for_the_same_the_first_is_found():
    first, second = parsed(), parsed(title="Second")

    assert Shelf([first, second]).find(ResourceType.DYNAMODB_TABLE, Symptom.THROTTLING) is first


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prevention": []}, "prevention"),
        ({"matches": {"resource_types": [], "symptoms": ["throttling"]}}, "matches.resource_types"),
        ({"severity": "terrible"}, "severity"),
        ({"typo": 1}, "typo"),
        ({"remedies": [{"id": "A b", "title": "", "when": ["x"], "use": "y"}]}, "remedies.0.id"),
        ({"remedies": [{"id": "ab", "title": "", "when": [], "use": "y"}]}, "remedies.0.when"),
    ],
)
def test_a_broken_runbook_names_file_and_field(changes: dict[str, Any], field: str):
    with pytest.raises(ManifestError) as caught:
        parsed(**changes)

    assert (caught.value.file, caught.value.field) == ("small.yaml", field)
