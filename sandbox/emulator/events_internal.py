"""EventBridge: events that AWS services put on the default bus themselves (`aws.*` sources).

PutEvents refuses such sources, as on AWS; the behaviours of this package and the admin route of
events_admin.py put them here, inside the process. MiniStack's own emitters (aws.s3, aws.states) do not pass
through this file.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.emulator.wrapping import original

BUS = "default"


def put_aws_event(
    *,
    source: str,
    detail_type: str,
    detail: dict[str, Any],
    resources: list[str],
    at: float,
    account: str | None = None,
    region: str | None = None,
) -> None:
    """Put one event of an AWS service on the default bus and start its deliveries.

    `at` is the event's time in epoch seconds of the sandbox clock. `account` and `region` default to those of
    the request or thread that calls. Returns when every matching rule has been offered the event; a target that
    fails is retried or dead-lettered on its own time and raises nothing here.
    """
    from ministack.core import responses
    from ministack.services import eventbridge

    account = account or responses.get_account_id()
    region = region or responses.get_region()
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": BUS,
        "Time": int(at),
        "Resources": list(resources),
        "Account": account,
        "Region": region,
    }
    with responses.request_scope(account, region):
        original(eventbridge, "_dispatch_event")(event)
        original(eventbridge, "_archive_event")(event)
