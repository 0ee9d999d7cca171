from __future__ import annotations

import pytest

from sandbox.workload.functions.opportunity_analysis import data_retrieval, stages
from sandbox.workload.functions.opportunity_analysis.errors import (
    BadRequestError,
    ModelUnavailableError,
    RetrievalFailedError,
)
from sandbox.workload.functions.opportunity_analysis.opportunity import Opportunity
from sandbox.workload.functions.opportunity_analysis.query_generation import AwardsQuery, generate_query
from sandbox.workload.functions.opportunity_analysis.scoring import RULES, scorecard, total
from sandbox.workload.functions.opportunity_analysis.settings import Settings

from .conftest import CONTEXT, OPPORTUNITY, SETTINGS, FakeAws

SETTINGS_NOW = Settings(**SETTINGS, use_fallback_model=False)
QUERY = AwardsQuery("SELECT 1", ())


def test_the_models_words_become_values_of_the_query_and_never_a_part_of_it(fake: FakeAws):
    fake.model_says = '["Cloud", "x\' OR 1=1", "records", 7]'

    query = generate_query(SETTINGS_NOW, Opportunity.parse({**OPPORTUNITY, "naics": "54'1"}))

    assert query.values == ("'54''1'", "'%cloud%'", "'%records%'")
    assert query.statement.count("?") == len(query.values)


@pytest.mark.parametrize("answer", ["I would look for clouds", '{"words": []}', "[]"])
def test_without_usable_words_the_title_gives_them(fake: FakeAws, answer: str):
    fake.model_says = answer

    query = generate_query(SETTINGS_NOW, Opportunity.parse(OPPORTUNITY))

    assert query.values[1:] == ("'%cloud%'", "'%migration%'", "'%legacy%'")


def test_an_empty_answer_of_the_model_is_no_answer(fake: FakeAws):
    fake.model_says = ""

    with pytest.raises(ModelUnavailableError, match="small: empty answer"):
        stages.generate_query({"opportunity": OPPORTUNITY}, CONTEXT)


def test_rows_are_read_under_their_column_names(fake: FakeAws, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data_retrieval.time, "sleep", lambda _: None)
    fake.query_states = ["QUEUED", "RUNNING", "SUCCEEDED"]
    fake.rows = [["agency", "amount"], ["Energy", "12"], ["Interior", "7"]]

    answer = stages.retrieve_data({"query": QUERY.document()}, CONTEXT)

    assert answer == {"awards": [{"agency": "Energy", "amount": "12"}, {"agency": "Interior", "amount": "7"}]}
    assert fake.queries[0]["WorkGroup"] == "athena_workgroup"


def test_a_failed_query_tells_its_id_and_reason(fake: FakeAws):
    fake.query_states = ["FAILED"]

    with pytest.raises(RetrievalFailedError, match="query-1: FAILED: table gone"):
        data_retrieval.retrieve_awards(QUERY)


def test_a_query_that_never_ends_is_given_up(fake: FakeAws, monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    monkeypatch.setattr(data_retrieval.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(
        data_retrieval.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds)
    )
    fake.query_states = ["RUNNING"]

    with pytest.raises(RetrievalFailedError, match="still RUNNING after 25 s"):
        data_retrieval.retrieve_awards(QUERY)

    assert 25 <= clock[0] <= 26


def test_the_scorecard_weighs_a_hundred_percent_and_stays_between_0_and_100():
    awards = [
        {"agency": "Department of Energy", "recipient": f"r{n}", "amount": "9000000"} for n in range(40)
    ]
    worst = "clearance urgent fedramp lpta legacy guam cpars escrow"

    for description in ("plain", worst):
        criteria = scorecard(Opportunity.parse({**OPPORTUNITY, "description": description}), awards)
        assert all(0 <= criterion.points <= 100 for criterion in criteria)
        assert 0 <= total(criteria) <= 100

    assert sum(weight for _, weight, _ in RULES) == 100


def test_an_opportunity_without_a_ceiling_is_judged_neutrally():
    unpublished = {name: value for name, value in OPPORTUNITY.items() if name != "ceiling"}

    (size, *_) = scorecard(Opportunity.parse(unpublished), [])

    assert (size.name, size.points) == ("contract-size", 50)


def test_the_stages_in_a_row_store_what_funding_and_follow_on_start_from(fake: FakeAws):
    query = stages.generate_query({"opportunity": OPPORTUNITY}, CONTEXT)
    awards = stages.retrieve_data(query, CONTEXT)
    stored = stages.analyse_opportunity({"opportunity": OPPORTUNITY, **query, **awards}, CONTEXT)

    funding = stages.analyse_funding({"opportunity_id": "OPP-1"}, CONTEXT)
    follow_on = stages.analyse_follow_on({"opportunity_id": "OPP-1"}, CONTEXT)

    assert stored["analysis_id"] == fake.items[0]["analysis_id"]["S"]
    spent = {True: 90, False: 75}[stored["total"] >= 70]
    assert sum(funding["years"]) == OPPORTUNITY["ceiling"] * spent // 100
    assert len(funding["years"]) == 5
    assert follow_on["likely"] == (follow_on["points"] >= 60)


def test_no_ceiling_no_funding(fake: FakeAws):
    unpublished = {name: value for name, value in OPPORTUNITY.items() if name != "ceiling"}
    stages.analyse_opportunity({"opportunity": unpublished, "query": QUERY.document(), "awards": []}, CONTEXT)

    funding = stages.analyse_funding({"opportunity_id": "OPP-1"}, CONTEXT)

    assert (funding["known"], funding["years"]) == (False, [])


def test_what_has_not_been_analysed_cannot_be_followed_on(fake: FakeAws):
    with pytest.raises(BadRequestError, match="'OPP-9' has not been analysed"):
        stages.analyse_follow_on({"opportunity_id": "OPP-9"}, CONTEXT)


def test_active_sessions_are_reported_over_all_pages(fake: FakeAws, capsys: pytest.CaptureFixture[str]):
    assert stages.report_sessions({}, CONTEXT) == {"active": 3}
    assert '"ActiveSessions": 3' in capsys.readouterr().out
