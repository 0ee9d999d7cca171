"""People are told through the alerts topic."""

from __future__ import annotations

import pytest

from selfright.adapters.messenger import SnsMessenger
from selfright.domain.errors import SourceDownError
from selfright.domain.steps import Message
from tests.unit.adapters.conftest import Stubbed

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
TOLD = Message(subject="[high] escalated", text="Take over.")


def test_subject_and_text_are_published(stubbed: Stubbed):
    stubbed.answer(
        "sns", "publish", {"MessageId": "1"}, TopicArn=TOPIC, Subject="[high] escalated", Message="Take over."
    )

    SnsMessenger(stubbed.aws, TOPIC).tell(TOLD)


def test_what_could_not_be_told_is_not_kept_quiet(stubbed: Stubbed):
    stubbed.refuse("sns", "publish", "AuthorizationError")

    with pytest.raises(SourceDownError, match="telling people"):
        SnsMessenger(stubbed.aws, TOPIC).tell(TOLD)
