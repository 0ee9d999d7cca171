"""A request for a release: the detail of the event DeploymentRequested, or the request itself as CI sends it."""

from __future__ import annotations

from typing import Any

from selfright.domain.errors import BadInputError
from selfright.domain.release import ReleaseRequest
from selfright.edge.room import parsed

DETAIL_TYPE = "DeploymentRequested"


def deployment_request(event: Any) -> ReleaseRequest:
    """The request that an event carries. Raises BadInputError naming the field and the rule."""
    if not isinstance(event, dict):
        raise BadInputError("event", "must be an object")
    if "detail-type" in event:
        if event["detail-type"] != DETAIL_TYPE:
            raise BadInputError("detail-type", f"must be {DETAIL_TYPE}")
        event = event.get("detail")
    return parsed(ReleaseRequest, event)
