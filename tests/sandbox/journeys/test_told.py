"""A channel is dead when people are needed: the others are told once, and nothing waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.collector import Collector, Mood
from sandbox.inbox import Inbox
from selfright.domain.delivery import DeliveryState, deliveries
from selfright.domain.incident import IncidentStatus
from selfright.domain.manifest import ChannelType
from selfright.domain.report import report
from tests.sandbox.journeys.world import World

SENDS = 5  # the first, and as many as the state machine repeats


def counted(world: World, metric: str, channel: ChannelType, since: datetime) -> int:
    """How many sends the room itself counted."""
    dimensions = [{"Name": "service", "Value": "selfright"}, {"Name": "channel", "Value": channel}]
    found = world.client("cloudwatch").get_metric_statistics(
        Namespace="Selfright",
        MetricName=metric,
        Dimensions=dimensions,
        StartTime=since - timedelta(minutes=2),
        EndTime=world.now() + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in found["Datapoints"]))


def test_a_dead_channel_is_recorded_and_blocks_no_other(world: World, services: Collector, inbox: Inbox):
    # Given a Slack that is down, and a machine that may not act
    services.be(ChannelType.SLACK, Mood.DOWN)
    began = world.now()
    failed_before = counted(world, "NoticesFailed", ChannelType.SLACK, began)
    world.throw_switches(kill_switch=True)
    try:
        case = world.closed(world.alarm_goes_off().id)
    finally:
        world.throw_switches()
    incident = case.incident
    assert incident.status is IncidentStatus.HELD

    # Then the execution succeeds, after it has tried as long as it was told to
    (execution,) = world.executions(incident.id)
    assert execution["status"] == "SUCCEEDED"
    assert world.states_entered(incident.id)[-1] == "Told in part"
    assert world.errors_of_tasks(incident.id) == ["ChannelDownError"] * SENDS
    assert services.asked(ChannelType.SLACK) == SENDS

    # ... the others were told, once
    (mail,) = inbox.about(incident.id)
    assert mail["Subject"] == (
        "[critical] held: throttling of analysis-results, opportunity-analysis development"
    )
    assert mail["Message"] == report(case).text
    pages = [page for page in services.taken(ChannelType.PAGERDUTY) if page["dedup_key"] == incident.id]
    (page,) = pages
    assert (page["event_action"], page["payload"]["severity"]) == ("trigger", "critical")
    assert page["payload"]["custom_details"] == report(case).parts

    # ... and it is on the timeline, and counted
    fates = {d.channel: (d.state, d.sends) for d in deliveries(case)}
    assert fates == {
        "alerts": (DeliveryState.TOLD, 1),
        "team-chat": (DeliveryState.DOWN, SENDS),
        "pager": (DeliveryState.TOLD, 1),
    }
    (line,) = [e.text for e in case.timeline if e.key == "told-held-team-chat"]
    assert line == f"team-chat (slack): not told, send {SENDS} failed: Slack answered 503"
    world.until(
        "the failures are counted",
        lambda: counted(world, "NoticesFailed", ChannelType.SLACK, began) >= failed_before + SENDS,
    )
    alarm = "selfright-notices-failed"

    def alarm_is_on() -> bool:
        (found,) = world.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return bool(found["StateValue"] == "ALARM")

    world.until("the alarm of failed notices is on", alarm_is_on)
