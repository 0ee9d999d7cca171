"""Second stage: fetch the past awards that the query asks for, from Athena."""

from __future__ import annotations

import os
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .clients import client
from .errors import RetrievalFailedError
from .query_generation import AwardsQuery

_FIRST_WAIT = 0.02  # seconds; doubled up to _LONGEST_WAIT, because a small query is done at once
_LONGEST_WAIT = 1.0
_PATIENCE = 25.0  # seconds; the whole analysis has 30

Award = dict[str, str]


def retrieve_awards(query: AwardsQuery) -> list[Award]:
    """Run the query and return its rows. Raises RetrievalFailedError naming the query's id and reason."""
    athena = client("athena")
    try:
        started = athena.start_query_execution(
            QueryString=query.statement,
            ExecutionParameters=list(query.values),
            QueryExecutionContext={"Database": os.environ["AWARDS_DATABASE"]},
            WorkGroup=os.environ["ATHENA_WORKGROUP"],
        )
        query_id = started["QueryExecutionId"]
        _wait_until_done(athena, query_id)
        rows = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    except (BotoCoreError, ClientError) as error:
        raise RetrievalFailedError(f"athena: {error}") from error
    if not rows:
        return []
    header, *lines = [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows]
    return [dict(zip(header, line, strict=True)) for line in lines]


def _wait_until_done(athena: Any, query_id: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    wait = _FIRST_WAIT
    while True:
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in {"FAILED", "CANCELLED"}:
            reason = status.get("StateChangeReason", "no reason given")
            raise RetrievalFailedError(f"athena query {query_id}: {status['State']}: {reason}")
        if time.monotonic() >= deadline:
            raise RetrievalFailedError(
                f"athena query {query_id}: still {status['State']} after {_PATIENCE:.0f} s"
            )
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
