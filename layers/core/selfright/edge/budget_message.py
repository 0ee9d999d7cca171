"""AWS Budgets writes to SNS in prose for people; it sends nothing to EventBridge.

Amounts are not read: estimates have been wrong by orders of magnitude, and nothing is decided by them.
"""

from __future__ import annotations

import re

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Severity
from selfright.domain.signal import Signal, SignalKind, digest
from selfright.edge.event_parts import read_moment

_HEADING = re.compile(
    r"AWS Budget Notification (?P<day>[A-Z][a-z]+ \d{1,2}, \d{4})\s+AWS Account (?P<account>\d{12})\b"
)
_LINE = re.compile(r"^(?P<name>Budget Name|Alert Type): *(?P<value>\S.*?)\s*$", re.MULTILINE)


def budget_signal(text: str) -> Signal:
    """A Signal from the text of one notification. Raises BadInputError naming the field and the rule."""
    heading = _HEADING.search(text)
    if heading is None:
        raise BadInputError("event", "must be JSON, or the text of an AWS Budgets notification")
    lines = {line["name"]: line["value"] for line in _LINE.finditer(text)}
    if "Budget Name" not in lines:
        raise BadInputError("event.Budget Name", "must be a line of the notification")
    name, account = lines["Budget Name"], heading["account"]
    forecast = lines.get("Alert Type", "").upper() == "FORECASTED"
    return Signal(
        kind=SignalKind.BUDGET,
        account=account,
        region="aws-global",
        name=name,
        subject=f"arn:aws:budgets::{account}:budget/{name}",
        state=State.ALARM,
        at=read_moment(heading["day"], "%B %d, %Y", field="event"),
        reason=" ".join(text.split("Budget Name:", 1)[1].split()),
        fact=digest(" ".join(text.split())),
        severity=Severity.LOW if forecast else Severity.MEDIUM,
    )
