"""The stages as Lambda functions of their own. They raise by name; the workflows retry and catch."""

from __future__ import annotations

from typing import Any

from . import results, sessions, settings
from .analysis import analyse_opportunity as analyse
from .data_retrieval import retrieve_awards
from .errors import BadRequestError
from .follow_on import estimate_follow_on
from .funding import estimate_funding
from .opportunity import Opportunity
from .query_generation import AwardsQuery
from .query_generation import generate_query as generate
from .telemetry import Stopwatch, count, metrics

Document = dict[str, Any]


def generate_query(event: Document, context: Any) -> Document:
    """{opportunity} → {query}"""
    watch = Stopwatch()
    with watch.stage("QueryGenerationTime"):
        query = generate(settings.current(), Opportunity.parse(event.get("opportunity")))
    metrics(watch.times, request_id=context.aws_request_id)
    return {"query": query.document()}


def retrieve_data(event: Document, context: Any) -> Document:
    """{query} → {awards}"""
    watch = Stopwatch()
    with watch.stage("DataRetrievalTime"):
        awards = retrieve_awards(AwardsQuery.of(event["query"]))
    metrics(watch.times, request_id=context.aws_request_id)
    return {"awards": awards}


def analyse_opportunity(event: Document, context: Any) -> Document:
    """{opportunity, query, awards} → {analysis_id, total}"""
    opportunity = Opportunity.parse(event.get("opportunity"))
    watch = Stopwatch()
    with watch.stage("AnalysisTime"):
        report = analyse(settings.current(), opportunity, event["awards"])
    metrics(watch.times, request_id=context.aws_request_id)
    query = AwardsQuery.of(event["query"])
    analysis_id = results.store(opportunity, query, report, context.aws_request_id)
    return {"analysis_id": analysis_id, "total": report.total}


def analyse_funding(event: Document, _context: Any) -> Document:
    """{opportunity_id} → how much of the money is likely to be spent, by year"""
    return estimate_funding(_latest(event))


def analyse_follow_on(event: Document, _context: Any) -> Document:
    """{opportunity_id} → how likely the contract is to be followed by another one"""
    return estimate_follow_on(_latest(event))


def report_sessions(_event: Document, context: Any) -> Document:
    """Every minute: how many sessions are active"""
    active = sessions.count_active()
    metrics({"ActiveSessions": count(active)}, request_id=context.aws_request_id)
    return {"active": active}


def _latest(event: Document) -> Document:
    result = results.latest(str(event.get("opportunity_id")))
    if result is None:
        raise BadRequestError(f"opportunity_id: {event.get('opportunity_id')!r} has not been analysed yet")
    return result
