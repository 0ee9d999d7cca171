"""Every channel against the collector that plays its service, over real HTTP on this machine."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from sandbox.collector import ROUTING_KEY, Collector, Mood
from selfright.adapters.aws import Aws
from selfright.adapters.channels import ManifestChannels
from selfright.adapters.pagerduty import ENQUEUE, PagerDutyChannel
from selfright.adapters.secrets import ChannelSecrets
from selfright.adapters.slack import SlackChannel
from selfright.adapters.sns import SnsChannel
from selfright.adapters.webhook import WebhookChannel
from selfright.domain.errors import BadInputError, ChannelDownError, NotFoundError, SourceDownError
from selfright.domain.incident import IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.domain.notice import Notice, notice
from selfright.domain.report import report
from selfright.ports import Channel
from tests.unit.adapters.conftest import Stubbed
from tests.unit.domain.test_notice import case
from tests.unit.usecases.world import workload

OVER_HTTP = [ChannelType.SLACK, ChannelType.PAGERDUTY, ChannelType.WEBHOOK]
CLASSES = {
    ChannelType.SLACK: SlackChannel,
    ChannelType.PAGERDUTY: PagerDutyChannel,
    ChannelType.WEBHOOK: WebhookChannel,
}
QUICKLY = 0.2  # seconds; what these tests wait for a service that does not answer
TOPIC = "arn:aws:sns:eu-central-1:123456789012:shop-alerts"
_names = count(1)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def services() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def collector(services: Collector) -> Iterator[Collector]:
    yield services
    services.forget()


def secret(aws: Aws, value: Any) -> str:
    name = f"shop/development/{next(_names)}"
    text = value if isinstance(value, str) else json.dumps(value)
    aws.client("secretsmanager").create_secret(Name=name, SecretString=text)
    return name


def channel(aws: Aws, kind: ChannelType, value: Any) -> Channel:
    return CLASSES[kind](ChannelSecrets(aws, secret(aws, value)), timeout=QUICKLY)


def telling(kind: ChannelType, status: IncidentStatus = IncidentStatus.ESCALATED) -> Notice:
    made = notice(kind, report(case(status, outcome="<nobody> & nothing → helped")), paged=True)
    assert made
    return made


# -- all is well


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [IncidentStatus.ESCALATED, IncidentStatus.RESOLVED])
def test_each_service_takes_our_notice(
    aws: Aws, collector: Collector, kind: ChannelType, status: IncidentStatus
):
    what = telling(kind, status)

    channel(aws, kind, collector.secret(kind)).send(what)

    (taken,) = collector.taken(kind)
    taken.pop("routing_key", None)
    assert taken == what.body


def test_pagerduty_is_told_the_key_and_merges_what_it_gets_twice(aws: Aws, collector: Collector):
    pager = channel(aws, ChannelType.PAGERDUTY, collector.secret(ChannelType.PAGERDUTY))

    pager.send(telling(ChannelType.PAGERDUTY))
    pager.send(telling(ChannelType.PAGERDUTY))

    assert [event["routing_key"] for event in collector.taken(ChannelType.PAGERDUTY)] == [ROUTING_KEY] * 2
    assert list(collector.alerts().values()) == ["trigger"]

    pager.send(telling(ChannelType.PAGERDUTY, IncidentStatus.RESOLVED))
    assert list(collector.alerts().values()) == ["resolve"]


def test_pagerduty_has_an_address_of_its_own_where_the_secret_has_none(aws: Aws):
    secrets = ChannelSecrets(aws, secret(aws, {"routing_key": ROUTING_KEY}))

    assert secrets.url(secrets.read(), default=ENQUEUE) == ENQUEUE
    assert ENQUEUE.startswith("https://events.pagerduty.com/")


def test_a_secret_that_was_rotated_works_at_once(aws: Aws, collector: Collector):
    name = secret(aws, {"url": "https://gone.invalid/services/old"})
    slack = SlackChannel(ChannelSecrets(aws, name), timeout=QUICKLY)
    value = json.dumps(collector.secret(ChannelType.SLACK))
    aws.client("secretsmanager").put_secret_value(SecretId=name, SecretString=value)

    slack.send(telling(ChannelType.SLACK))

    assert len(collector.taken(ChannelType.SLACK)) == 1


# -- the service does not take it


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(("mood", "status"), [(Mood.DOWN, 503), (Mood.BUSY, 429)])
def test_a_service_that_cannot_now_is_down(
    aws: Aws, collector: Collector, kind: ChannelType, mood: Mood, status: int
):
    collector.be(kind, mood)

    with pytest.raises(ChannelDownError, match=f"answered {status}") as down:
        channel(aws, kind, collector.secret(kind)).send(telling(kind))

    assert down.value.unanswered == 0
    assert collector.asked(kind) == 1  # no repetition of which nobody knows


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_service_that_hangs_up_may_have_taken_it(aws: Aws, collector: Collector, kind: ChannelType):
    collector.be(kind, Mood.DEAF)

    with pytest.raises(ChannelDownError, match=r"did not answer \(RemoteDisconnected\)") as down:
        channel(aws, kind, collector.secret(kind)).send(telling(kind))

    assert down.value.unanswered == 1
    assert collector.asked(kind) == 1


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_service_that_is_too_slow_may_have_taken_it(aws: Aws, collector: Collector, kind: ChannelType):
    collector.be(kind, Mood.SLOW)
    began = time.monotonic()

    with pytest.raises(ChannelDownError, match=r"did not answer \(TimeoutError\)") as down:
        channel(aws, kind, collector.secret(kind)).send(telling(kind))

    assert time.monotonic() - began < 5
    assert down.value.unanswered == 1
    assert len(collector.taken(kind)) == 1


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_where_nobody_listens_nothing_arrived(aws: Aws, kind: ChannelType):
    with Collector() as gone:
        address = gone.secret(kind)

    with pytest.raises(ChannelDownError, match=r"cannot be reached \(ConnectionRefusedError\)") as down:
        channel(aws, kind, address).send(telling(kind))

    assert down.value.unanswered == 0


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (ChannelType.SLACK, "Slack answered 404: no_service"),
        (ChannelType.PAGERDUTY, r"PagerDuty answered 400: Invalid routing key: \*\*\*"),
        (ChannelType.WEBHOOK, "the webhook answered 410"),
    ],
)
def test_a_service_that_knows_us_no_more_has_refused(
    aws: Aws, collector: Collector, kind: ChannelType, why: str
):
    collector.be(kind, Mood.REFUSING)

    with pytest.raises(BadInputError, match=why):
        channel(aws, kind, collector.secret(kind)).send(telling(kind))


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_notice_that_breaks_the_services_rules_is_refused(
    aws: Aws, collector: Collector, kind: ChannelType
):
    with pytest.raises(BadInputError, match="answered 400"):
        channel(aws, kind, collector.secret(kind)).send(Notice(type=kind, body={}))


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_redirect_is_not_followed(aws: Aws, collector: Collector, kind: ChannelType):
    """It would turn our POST into a GET, and any page's 200 would look like success."""
    collector.be(kind, Mood.MOVED)

    with pytest.raises(BadInputError):
        channel(aws, kind, collector.secret(kind)).send(telling(kind))

    assert collector.taken(kind) == []


# -- the secret is wrong

SECRET = "T0SECRETB0SECRET"


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(
    "value",
    [
        f"https://hooks.slack.com/services/{SECRET}",
        f'["{SECRET}"]',
        {"url": 1, "routing_key": SECRET},
        {"address": SECRET},
        {"url": "", "routing_key": SECRET},
        {"url": f"http://hooks.slack.com/services/{SECRET}", "routing_key": SECRET},
        {"url": f"hooks.slack.com/services/{SECRET}", "routing_key": SECRET},
        {"url": f"file:///etc/{SECRET}", "routing_key": SECRET},
        {"url": f"https://hooks.slack.com/services/{SECRET} ", "routing_key": SECRET},
        {"url": f"https://hooks.slack.com/services/{SECRET}\n", "routing_key": SECRET},
        {"url": f"https://hooks.slack.com/services/{SECRET}ü", "routing_key": SECRET},
        {"url": f"https://hooks.slack.com:{SECRET}/", "routing_key": SECRET},
        {"url": f"https:///{SECRET}", "routing_key": SECRET},
    ],
    ids=str,
)
def test_a_secret_that_breaks_a_rule_is_named_and_not_quoted(aws: Aws, kind: ChannelType, value: Any):
    with pytest.raises(BadInputError, match="secret shop/development/") as refused:
        channel(aws, kind, value).send(telling(kind))

    seen: BaseException | None = refused.value
    while seen is not None:
        assert SECRET not in str(seen)
        seen = None if seen.__suppress_context__ else seen.__context__


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("mood", [mood for mood in Mood if mood is not Mood.WELL])
def test_no_failure_and_no_log_line_quotes_a_secret(
    aws: Aws, collector: Collector, kind: ChannelType, mood: Mood, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    collector.be(kind, mood)
    values = collector.secret(kind)
    path = "/" + values["url"].split("/", 3)[3]

    with pytest.raises((ChannelDownError, BadInputError)) as failed:
        channel(aws, kind, values).send(telling(kind))

    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("botocore", "boto3"))]
    for text in (str(failed.value), repr(failed.value.__cause__), *ours):
        assert path not in text
        assert ROUTING_KEY not in text


def test_a_secret_that_does_not_exist_is_a_refusal(aws: Aws):
    with pytest.raises(NotFoundError, match="reading secret shop/development/none"):
        SlackChannel(ChannelSecrets(aws, "shop/development/none")).send(telling(ChannelType.SLACK))


def test_a_secret_that_cannot_be_read_now_is_asked_for_again(stubbed: Stubbed):
    stubbed.refuse("secretsmanager", "get_secret_value", "InternalServiceError")

    with pytest.raises(SourceDownError, match="reading secret a"):
        ChannelSecrets(stubbed.aws, "a").read()


# -- the topic


def test_a_topic_gets_subject_and_text(stubbed: Stubbed):
    what = telling(ChannelType.SNS)
    stubbed.answer("sns", "publish", {"MessageId": "1"}, TopicArn=TOPIC, **what.body)

    SnsChannel(stubbed.aws, TOPIC).send(what)


@pytest.mark.parametrize("code", ["NotFound", "AuthorizationError", "InvalidParameter"])
def test_a_topic_that_is_not_there_or_not_ours_has_refused(stubbed: Stubbed, code: str):
    stubbed.refuse("sns", "publish", code)

    with pytest.raises(BadInputError, match=r"notifications\.topic: .*shop-alerts"):
        SnsChannel(stubbed.aws, TOPIC).send(telling(ChannelType.SNS))


@pytest.mark.parametrize("code", ["InternalError", "Throttling", "KMSThrottling"])
def test_a_topic_that_cannot_now_is_down(stubbed: Stubbed, code: str):
    stubbed.refuse("sns", "publish", code)

    with pytest.raises(ChannelDownError) as down:
        SnsChannel(stubbed.aws, TOPIC).send(telling(ChannelType.SNS))

    assert down.value.unanswered == 0


@pytest.mark.parametrize(("error", "unanswered"), [(ReadTimeoutError, 2), (ConnectTimeoutError, 0)])
def test_a_topic_that_does_not_answer_was_asked_twice_by_the_sdk(error: type[Exception], unanswered: int):
    class Silent:
        def publish(self, **_: Any) -> None:
            raise error(endpoint_url="https://sns.eu-central-1.amazonaws.com")

    class SilentAws(Aws):
        def client(self, service: str) -> Any:
            del service
            return Silent()

    with pytest.raises(ChannelDownError) as down:
        SnsChannel(SilentAws(), TOPIC).send(telling(ChannelType.SNS))

    assert down.value.unanswered == unanswered
    assert Aws()._config.retries == {"mode": "standard", "total_max_attempts": 2}


# -- by the manifest

CHANNELS = {
    "alerts": {"type": "sns"},
    "team-chat": {"type": "slack", "secret": "{workload}/{environment}/slack"},
    "pager": {"type": "pagerduty", "secret": "{workload}/{environment}/pagerduty"},
    "own": {"type": "webhook", "secret": "{workload}/{environment}/webhook"},
}


def test_each_channel_of_the_manifest_is_opened_as_its_kind(stubbed: Stubbed):
    shop = workload(notifications={"channels": CHANNELS})
    channels = ManifestChannels(stubbed.aws, TOPIC)

    opened = {key: type(channels.open(shop, key)) for key in CHANNELS}

    assert opened == {
        "alerts": SnsChannel,
        "team-chat": SlackChannel,
        "pager": PagerDutyChannel,
        "own": WebhookChannel,
    }


@pytest.mark.parametrize(
    ("notifications", "key", "topic"),
    [
        ({}, "topic", "shop-alerts"),
        ({"topic": "{workload}-{environment}-people"}, "topic", "shop-development-people"),
    ],
)
def test_notices_go_to_the_manifests_topic_where_the_deployment_is(
    stubbed: Stubbed, notifications: dict[str, Any], key: str, topic: str
):
    shop = workload(notifications=notifications)
    what = telling(ChannelType.SNS)
    place = TOPIC.rpartition(":")[0]
    stubbed.answer("sns", "publish", {"MessageId": "1"}, TopicArn=f"{place}:{topic}", **what.body)

    ManifestChannels(stubbed.aws, TOPIC).open(shop, key).send(what)


def test_a_secret_is_read_where_the_manifest_says(stubbed: Stubbed):
    shop = workload(notifications={"channels": CHANNELS})
    stubbed.refuse("secretsmanager", "get_secret_value", "ResourceNotFoundException")

    with pytest.raises(NotFoundError, match="shop/development/slack"):
        ManifestChannels(stubbed.aws, TOPIC).open(shop, "team-chat").send(telling(ChannelType.SLACK))
