"""What people are told of a release, in the format of each way to reach them."""

from __future__ import annotations

from typing import Any

from selfright.domain.manifest import ChannelType
from selfright.domain.notice import Notice
from selfright.domain.release.record import LogLine, Milestone, Release, ReleaseFile, ReleaseStatus
from selfright.domain.report import LONGEST_PART, cut

# What is worth a notice: the way of the release, not every look at it.
TOLD_OF = {
    Milestone.REFUSED,
    Milestone.ADMITTED,
    Milestone.SHIFTED,
    Milestone.PROLONGED,
    Milestone.STOPPED,
    Milestone.FAILED,
    Milestone.CLOSED,
}
SNS_SUBJECT = 99  # characters, see domain/notice.py
PAGERDUTY_SUMMARY = 1024


def news(file: ReleaseFile) -> LogLine | None:
    """The newest line that people are told of."""
    return next((line for line in reversed(file.log) if line.milestone in TOLD_OF), None)


def release_notice(kind: ChannelType, release: Release, line: LogLine) -> Notice | None:
    """The notice for a channel of that kind; None where there is nothing to tell through it.

    A pager wakes people only for what a machine cannot put right: a roll-back that failed.
    """
    request = release.request
    headline = f"{request.release_id}: {line.milestone}, {request.workload} {request.environment}"
    text = "\n".join(
        (
            f"Release: {request.release_id} of {request.workload} in {request.environment}, commit {request.commit}",
            f"What happened: {cut(line.text, LONGEST_PART)}",
            f"How it stands: {release.status.replace('_', ' ')}",
            f"Asked for by: {request.requested_by}: {request.reason}",
            f"Follow it: selfright deploy status {request.release_id} --follow",
        )
    )
    match kind:
        case ChannelType.SNS:
            plain = "".join(char if char.isascii() and char.isprintable() else "?" for char in headline)
            return Notice(type=kind, body={"Subject": plain[:SNS_SUBJECT], "Message": text})
        case ChannelType.SLACK:
            return Notice(type=kind, body={"text": _mrkdwn(f"{headline}\n{cut(line.text, LONGEST_PART)}")})
        case ChannelType.PAGERDUTY:
            failed = release.status is ReleaseStatus.ROLLBACK_FAILED
            return Notice(type=kind, body=_page(release, headline, text)) if failed else None
        case ChannelType.WEBHOOK:
            return Notice(type=kind, body=_webhook(release, line, headline))


def _mrkdwn(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _page(release: Release, headline: str, text: str) -> dict[str, Any]:
    return {
        "event_action": "trigger",
        "dedup_key": f"release-{release.id}",
        "client": "Selfright",
        "payload": {
            "summary": cut(headline, PAGERDUTY_SUMMARY),
            "source": release.place,
            "severity": "critical",
            "timestamp": release.requested_at.isoformat(),
            "group": f"{release.request.workload}-{release.request.environment}",
            "class": str(release.stop),
            "custom_details": {"report": text},
        },
    }


def _webhook(release: Release, line: LogLine, headline: str) -> dict[str, Any]:
    request = release.request
    return {
        "id": f"{request.release_id}-{line.key}",  # sent again, it is the same notice
        "release": request.release_id,
        "status": release.status,
        "workload": request.workload,
        "environment": request.environment,
        "commit": request.commit,
        "milestone": line.milestone,
        "headline": headline,
        "what_happened": line.text,
    }
