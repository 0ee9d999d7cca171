"""People are told through the alerts topic."""

from __future__ import annotations

import pytest

from selfright.adapters.messenger import SnsMessenger
from selfright.domain.errors import SourceDownError
from selfright.domain.incident import IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.domain.release import LogLine, Milestone, Release, ReleaseStatus
from selfright.domain.release.notice import release_notice
from selfright.domain.report import report
from tests.unit.adapters.conftest import Stubbed
from tests.unit.domain.test_notice import case
from tests.unit.usecases.release_world import NOW, request

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
TOLD = report(case(IncidentStatus.ESCALATED))


def test_subject_and_text_are_published(stubbed: Stubbed):
    stubbed.answer(
        "sns", "publish", {"MessageId": "1"}, TopicArn=TOPIC, Subject=TOLD.headline, Message=TOLD.text
    )

    SnsMessenger(stubbed.aws, TOPIC).tell(TOLD)


def test_what_could_not_be_told_is_not_kept_quiet(stubbed: Stubbed):
    stubbed.refuse("sns", "publish", "AuthorizationError")

    with pytest.raises(SourceDownError, match="telling people"):
        SnsMessenger(stubbed.aws, TOPIC).tell(TOLD)


def test_so_is_what_a_release_has_come_to(stubbed: Stubbed):
    release = Release(request=request(), requested_at=NOW, status=ReleaseStatus.ROLLBACK_FAILED)
    line = LogLine(
        key="closed", at=NOW, milestone=Milestone.CLOSED, text="rollback_failed: people are needed"
    )
    made = release_notice(ChannelType.SNS, release, line)
    assert made is not None
    stubbed.answer("sns", "publish", {"MessageId": "1"}, TopicArn=TOPIC, **made.body)

    SnsMessenger(stubbed.aws, TOPIC).tell_of(release, line)

    assert made.body["Subject"] == "shop-42: closed, shop development"
