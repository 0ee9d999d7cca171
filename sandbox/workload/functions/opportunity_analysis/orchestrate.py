"""One analysis, end to end, within one invocation: query generation, data retrieval, analysis, storing.

The stages are also Lambda functions of their own (stages.py) for the workflow; a user who waits gets them
in-process, because three nested invocations would double the time and be paid for twice.
"""

from __future__ import annotations

import os
from datetime import timedelta
from json import dumps
from typing import Any

from . import health, results, sessions, settings
from .analysis import analyse_opportunity
from .clients import client
from .data_retrieval import retrieve_awards
from .errors import BadRequestError, DependencyError
from .opportunity import Opportunity
from .query_generation import generate_query
from .settings import Settings
from .telemetry import Stopwatch, count, log, memory, metrics

Answer = dict[str, Any]


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Answer like an HTTP API: 200, 400 (the caller's mistake) or 503 (a dependency's). The rest crashes.

    {"health": "liveness" | "readiness" | "deep"} asks how the application is, and is no request.
    """
    if event.get("health") in health.TIERS:
        return health.answer(event["health"])
    watch = Stopwatch()
    with watch.stage("EndToEndTime"):
        try:
            answer = _analyse(event, context.aws_request_id, watch)
        except BadRequestError as error:
            answer = {"statusCode": 400, "error": "BadRequestError", "message": str(error)}
        except DependencyError as error:
            # The detail is for operators; users get no addresses, model ids or table names.
            name = type(error).__name__
            log(
                "ERROR",
                str(error),
                error=name,
                dependency=error.dependency,
                request_id=context.aws_request_id,
            )
            answer = {
                "statusCode": 503,
                "error": name,
                "throttled": error.throttled,
                "message": "please try again",
            }
    _measure(answer, watch, context.aws_request_id)
    return answer


def _analyse(event: dict[str, Any], request_id: str, watch: Stopwatch) -> Answer:
    opportunity = Opportunity.parse(event.get("opportunity"))
    session_id = event.get("session_id")
    if not isinstance(session_id, str) or not session_id:
        raise BadRequestError("session_id: must be a text")
    now_valid = settings.current()
    if now_valid.caching and (kept := _cached(opportunity, now_valid)):
        sessions.touch(session_id)
        return {"statusCode": 200, "cached": True, **kept}
    with watch.stage("QueryGenerationTime"):
        query = generate_query(now_valid, opportunity)
    with watch.stage("DataRetrievalTime"):
        awards = retrieve_awards(query)
    with watch.stage("AnalysisTime"):
        report = analyse_opportunity(now_valid, opportunity, awards)
    analysis_id = results.store(opportunity, query, report, request_id)
    sessions.touch(session_id)
    if event.get("follow_on"):
        _request_follow_on(opportunity, analysis_id)
    return {"statusCode": 200, "cached": False, "analysis_id": analysis_id, "total": report.total}


def _cached(opportunity: Opportunity, now_valid: Settings) -> Answer | None:
    kept = results.latest(opportunity.id, timedelta(seconds=now_valid.cache_ttl_seconds))
    if kept is None or kept["opportunity"] != opportunity.document():
        return None
    return {"analysis_id": kept["analysis_id"], "total": int(kept["report"]["total"])}


def _request_follow_on(opportunity: Opportunity, analysis_id: str) -> None:
    client("events").put_events(
        Entries=[
            {
                "EventBusName": os.environ["EVENT_BUS"],
                "Source": "opportunity-analysis",
                "DetailType": "FollowOnRequested",
                "Detail": dumps({"opportunity_id": opportunity.id, "analysis_id": analysis_id}),
            }
        ]
    )


def _measure(answer: Answer, watch: Stopwatch, request_id: str) -> None:
    failed = answer["statusCode"] >= 500  # noqa: PLR2004 - HTTP: 5xx is ours
    values = {"Requests": count(1), "FailedRequests": count(int(failed)), **watch.times, **memory()}
    if "cached" in answer:
        values["CacheHitRate"] = (100.0 * answer["cached"], "Percent")
    metrics(values, status=answer["statusCode"], request_id=request_id)
