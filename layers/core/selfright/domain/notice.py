"""One report in the format of each way to reach people, within that way's limits.

Secrets are no part of a notice: adapters add them when they send it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from selfright.domain.incident import IncidentStatus
from selfright.domain.manifest import ChannelType, Severity
from selfright.domain.report import Report, cut

# "ASCII text that begins with a letter, number, or punctuation mark", without control characters, fewer than 100
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
SNS_SUBJECT = 99
SLACK_TEXT = 3000  # characters of a text object, counted here after escaping
SLACK_HEADER = 150
SLACK_BLOCKS = 50
PAGERDUTY_SUMMARY = 1024

_SLACK_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PAGERDUTY_SEVERITY = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}
_PEOPLE_NEEDED = {IncidentStatus.HELD, IncidentStatus.ESCALATED}
_OVER = {IncidentStatus.RESOLVED, IncidentStatus.RECOVERED}


class Notice(BaseModel):
    """What one channel is to be given; `body` is the request as its service defines it."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    type: ChannelType
    body: dict[str, Any]


def notice(kind: ChannelType, report: Report, *, paged: bool) -> Notice | None:
    """The notice for a channel of that kind; None where there is nothing to tell through it.

    `paged`: this channel was given a notice of this incident that people are needed. A pager is for waking somebody,
    and for taking that back: what is over without anybody having been paged is none of its business.
    """
    match kind:
        case ChannelType.SNS:
            body = {"Subject": _subject(report.headline), "Message": report.text}
        case ChannelType.SLACK:
            body = _slack(report)
        case ChannelType.PAGERDUTY:
            if (action := _page(report.incident.status, paged=paged)) is None:
                return None
            body = _pagerduty(report, action)
        case ChannelType.WEBHOOK:
            body = _webhook(report)
    return Notice(type=kind, body=body)


def calls_people(status: IncidentStatus) -> bool:
    """Whether somebody is to be paged for an incident that stands like this."""
    return status in _PEOPLE_NEEDED


def _page(status: IncidentStatus, *, paged: bool) -> str | None:
    # Never `acknowledge`: it silences the page for everybody, and only a person can say that a person has seen it.
    if calls_people(status):
        return "trigger"
    return "resolve" if paged and status in _OVER else None


def _subject(headline: str) -> str:
    plain = "".join(char if char.isascii() and char.isprintable() else "?" for char in headline)
    return plain[:SNS_SUBJECT]


def _slack(report: Report) -> dict[str, Any]:
    """Block Kit: https://docs.slack.dev/reference/block-kit/blocks. `text` is what a phone's banner shows."""
    *sections, incident = report.parts.items()
    return {
        "text": _mrkdwn(report.headline),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": cut(report.headline, SLACK_HEADER)}},
            *(
                {"type": "section", "text": _text_object(f"*{heading}*\n", part)}
                for heading, part in sections
            ),
            {"type": "context", "elements": [_text_object(f"{incident[0]} ", incident[1])]},
        ],
    }


def _text_object(markup: str, text: str) -> dict[str, Any]:
    # verbatim: Slack makes no links and mentions out of what only looks like one.
    return {"type": "mrkdwn", "text": markup + _mrkdwn(text, SLACK_TEXT - len(markup)), "verbatim": True}


def _mrkdwn(text: str, limit: int = SLACK_TEXT) -> str:
    """Escaped for mrkdwn, and cut between characters, never inside an escape."""
    pieces = [_SLACK_ESCAPES.get(char, char) for char in text]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    room = limit - 1
    kept: list[str] = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _pagerduty(report: Report, action: str) -> dict[str, Any]:
    """Events API v2: https://developer.pagerduty.com/docs/send-alert-event. The routing key is the adapter's to add."""
    incident = report.incident
    return {
        "event_action": action,
        "dedup_key": incident.id,  # sent again, it is the same alert
        "client": "Selfright",
        "payload": {
            "summary": cut(report.headline, PAGERDUTY_SUMMARY),
            "source": incident.subject,
            "severity": _PAGERDUTY_SEVERITY[incident.severity],
            "timestamp": incident.episode.isoformat(),
            "component": incident.resource,
            "group": f"{incident.workload}-{incident.environment}",
            "class": incident.symptom,
            "custom_details": report.parts,
        },
    }


def _webhook(report: Report) -> dict[str, Any]:
    """Our own format, written down in docs/notifications.md; fields are only ever added."""
    incident = report.incident
    return {
        "id": f"{incident.id}-{incident.status}",  # sent again, it is the same notice
        "incident": incident.id,
        "status": incident.status,
        "severity": incident.severity,
        "workload": incident.workload,
        "environment": incident.environment,
        "resource": incident.resource,
        "symptom": incident.symptom,
        "alarm": incident.subject,
        "since": incident.episode.isoformat(),
        "runbook": incident.runbook,
        "headline": report.headline,
        "what_happened": report.happened,
        "what_was_done": report.done,
        "what_changed": report.changed,
        "what_is_needed": report.needed,
    }
