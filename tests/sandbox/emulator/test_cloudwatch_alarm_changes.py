"""What follows from an alarm's change of state: the event, the actions, and what holds actions back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from sandbox.server import ACCOUNT, REGION, Server
from tests.sandbox.emulator.alarms import (
    described,
    event_queue,
    in_state,
    put_alarm,
    put_series,
    topic_queue,
    unique,
)
from tests.sandbox.emulator.lambda_functions import arn, create, eventually, printed

QUIET = 0.6  # seconds to wait for what must not come; more than two ticks of the emulator


def set_state(aws: Server, name: str, state: str, reason: str = "for the test") -> None:
    aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)


def test_the_event_has_the_documented_shape(fast_aws: Server):
    # Given an alarm that nobody but SetAlarmState moves
    name = put_alarm(
        fast_aws,
        "Orders",
        TreatMissingData="ignore",
        AlarmDescription="too many",
        Dimensions=[{"Name": "Shop", "Value": "a"}],
    )
    events = event_queue(fast_aws, name)
    # When it changes
    set_state(fast_aws, name, "ALARM")
    event = events(1)[0]
    # Then EventBridge hears of it
    alarm = described(fast_aws, name)
    assert event["source"] == "aws.cloudwatch"
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"]
    detail = event["detail"]
    assert detail["alarmName"] == name
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["reason"] == "for the test"
    changed = datetime.strptime(detail["state"]["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert abs(changed.timestamp() - alarm["StateUpdatedTimestamp"].timestamp()) < 0.001
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert detail["configuration"]["description"] == "too many"
    metric = detail["configuration"]["metrics"][0]
    assert metric["returnData"] is True
    assert metric["metricStat"] == {
        "metric": {"namespace": "Test", "name": "Orders", "dimensions": {"Shop": "a"}},
        "period": 60,
        "stat": "Sum",
    }
    assert "muteDetail" not in detail


def test_the_next_event_tells_the_state_before_it(fast_aws: Server):
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore")
    events = event_queue(fast_aws, name)
    set_state(fast_aws, name, "ALARM", "first")
    set_state(fast_aws, name, "OK", "second")
    first, second = sorted(events(2), key=lambda event: event["detail"]["state"]["timestamp"])
    assert second["detail"]["previousState"] == first["detail"]["state"]


def test_an_evaluated_change_carries_its_reason_data(fast_aws: Server):
    metric = unique("m")
    name = put_alarm(fast_aws, metric)
    events = event_queue(fast_aws, name)
    put_series(fast_aws, metric, [5.0])
    detail = events(1)[0]["detail"]
    assert detail["state"]["reasonData"] == described(fast_aws, name)["StateReasonData"]


def test_a_state_that_does_not_exist_is_refused(fast_aws: Server):
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore")
    with pytest.raises(ClientError, match="ValidationError"):
        set_state(fast_aws, name, "SICK")
    assert described(fast_aws, name)["StateValue"] == "INSUFFICIENT_DATA"


def test_actions_of_the_new_state_are_performed(fast_aws: Server):
    # Given a topic for ALARM and one for OK
    alarm_topic, alarm_messages = topic_queue(fast_aws)
    ok_topic, ok_messages = topic_queue(fast_aws)
    name = put_alarm(
        fast_aws, "m", TreatMissingData="ignore", AlarmActions=[alarm_topic], OKActions=[ok_topic]
    )
    # When the alarm goes off
    set_state(fast_aws, name, "ALARM")
    message = alarm_messages(1, 5.0)[0]
    # Then one hears of it and the other does not
    assert message["AlarmName"] == name
    assert message["NewStateValue"] == "ALARM"
    assert message["OldStateValue"] == "INSUFFICIENT_DATA"
    assert message["AlarmArn"].endswith(f":alarm:{name}")
    assert message["Region"] == "US East (N. Virginia)"
    assert message["Trigger"]["MetricName"] == "m"
    assert message["Trigger"]["Statistic"] == "SUM"
    assert ok_messages(1, QUIET) == []


def test_event_and_message_give_the_same_moment(fast_aws: Server):
    topic, messages = topic_queue(fast_aws)
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore", AlarmActions=[topic])
    events = event_queue(fast_aws, name)
    set_state(fast_aws, name, "ALARM")
    assert messages(1, 5.0)[0]["StateChangeTime"] == events(1)[0]["detail"]["state"]["timestamp"]


def test_disabled_actions_stop_the_actions_and_not_the_event(fast_aws: Server):
    topic, messages = topic_queue(fast_aws)
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore", AlarmActions=[topic], ActionsEnabled=False)
    events = event_queue(fast_aws, name)
    set_state(fast_aws, name, "ALARM")
    assert events(1)[0]["detail"]["state"]["value"] == "ALARM"
    assert messages(1, QUIET) == []


def test_a_lambda_action_gets_the_alarm(fast_aws: Server):
    function = create(fast_aws, "import json\ndef handler(event, context):\n    print(json.dumps(event))\n")
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore", AlarmActions=[arn(function)])
    set_state(fast_aws, name, "ALARM")
    event = eventually(lambda: printed(fast_aws, function), bool)[0]
    assert event["source"] == "aws.cloudwatch"
    assert event["alarmArn"].endswith(f":alarm:{name}")
    assert event["alarmData"]["state"]["value"] == "ALARM"
    assert event["alarmData"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "m"


def mute_now(aws: Server, alarm: str, minutes: int) -> str:
    rule = unique("mute")
    begin = datetime.fromtimestamp(aws.now() - 60, UTC)
    aws.client("cloudwatch").put_alarm_mute_rule(
        Name=rule,
        Rule={"Schedule": {"Expression": f"at({begin:%Y-%m-%dT%H:%M})", "Duration": f"PT{minutes}M"}},
        MuteTargets={"AlarmNames": [alarm]},
    )
    return rule


def test_a_muted_alarm_tells_eventbridge_and_nobody_else_until_it_is_unmuted(fast_aws: Server):
    # Given an alarm with a mute window that is open
    topic, messages = topic_queue(fast_aws)
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore", AlarmActions=[topic])
    events = event_queue(fast_aws, name)
    rule = mute_now(fast_aws, name, minutes=600)
    # When it changes
    set_state(fast_aws, name, "ALARM")
    detail = events(1)[0]["detail"]
    # Then the event names the rule, and the action is held back
    assert detail["muteDetail"]["mutedBy"].endswith(f":alarm-mute-rule:{rule}")
    assert messages(1, QUIET) == []
    # And when the rule is deleted, an alarm still in ALARM performs its actions
    fast_aws.client("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName=rule)
    assert messages(1, 5.0)[0]["NewStateValue"] == "ALARM"


def test_held_actions_are_dropped_when_the_alarm_changed_meanwhile(fast_aws: Server):
    topic, messages = topic_queue(fast_aws)
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore", AlarmActions=[topic])
    rule = mute_now(fast_aws, name, minutes=600)
    set_state(fast_aws, name, "ALARM")
    set_state(fast_aws, name, "OK")
    fast_aws.client("cloudwatch").delete_alarm_mute_rule(AlarmMuteRuleName=rule)
    assert messages(1, QUIET) == []


def composite(aws: Server, rule: str, **settings: object) -> str:
    name = unique("composite")
    aws.client("cloudwatch").put_composite_alarm(AlarmName=name, AlarmRule=rule, **settings)
    return name


def test_a_composite_alarm_follows_its_children(fast_aws: Server):
    one, two = (put_alarm(fast_aws, "m", TreatMissingData="ignore") for _ in range(2))
    name = composite(fast_aws, f"ALARM({one}) AND NOT OK({two})")
    events = event_queue(fast_aws, name)
    assert described(fast_aws, name)["StateValue"] == "OK"
    set_state(fast_aws, one, "ALARM")
    detail = events(1)[0]["detail"]
    assert described(fast_aws, name)["StateValue"] == "ALARM"
    assert detail["configuration"] == {"alarmRule": f"ALARM({one}) AND NOT OK({two})"}
    assert f":alarm:{one}" in detail["state"]["reasonData"]
    set_state(fast_aws, two, "OK")
    assert described(fast_aws, name)["StateValue"] == "OK"


def test_a_suppressor_holds_actions_back_while_it_is_in_alarm(fast_aws: Server):
    # Given a composite alarm whose suppressor is in ALARM
    topic, messages = topic_queue(fast_aws)
    child, suppressor = (put_alarm(fast_aws, "m", TreatMissingData="ignore") for _ in range(2))
    set_state(fast_aws, suppressor, "ALARM")
    name = composite(
        fast_aws,
        f"ALARM({child})",
        AlarmActions=[topic],
        ActionsSuppressor=suppressor,
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=60,
    )
    events = event_queue(fast_aws, name)
    # When it goes off
    set_state(fast_aws, child, "ALARM")
    detail = events(1)[0]["detail"]
    # Then the event says that the actions are suppressed
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["actionsSuppressedBy"] == "Alarm"
    assert detail["configuration"]["actionsSuppressor"] == suppressor
    assert described(fast_aws, name)["ActionsSuppressedBy"] == "Alarm"
    assert messages(1, QUIET) == []
    # And after the suppressor is gone for its extension period, they are performed
    left = fast_aws.now()
    set_state(fast_aws, suppressor, "OK")
    message = messages(1, 5.0)[0]
    performed = datetime.strptime(message["StateChangeTime"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    assert message["NewStateValue"] == "ALARM"
    assert performed - left >= 60
    assert "ActionsSuppressedBy" not in described(fast_aws, name)


def test_a_suppressor_that_does_not_come_delays_the_actions_by_the_wait_period(fast_aws: Server):
    topic, messages = topic_queue(fast_aws)
    child, suppressor = (put_alarm(fast_aws, "m", TreatMissingData="ignore") for _ in range(2))
    name = composite(
        fast_aws,
        f"ALARM({child})",
        AlarmActions=[topic],
        ActionsSuppressor=suppressor,
        ActionsSuppressorWaitPeriod=120,
        ActionsSuppressorExtensionPeriod=60,
    )
    set_state(fast_aws, child, "ALARM")
    assert described(fast_aws, name)["ActionsSuppressedBy"] == "WaitPeriod"
    assert messages(1, 5.0)[0]["NewStateValue"] == "ALARM"


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("ALARM(nowhere)", {}),
        ("ALARM(", {}),
        ("TRUE", {"ActionsSuppressor": "nowhere", "ActionsSuppressorWaitPeriod": 60}),
    ],
)
def test_a_bad_composite_alarm_is_refused(fast_aws: Server, rule: str, settings: dict[str, object]):
    with pytest.raises(ClientError, match="ValidationError"):
        composite(fast_aws, rule, **settings)


def test_mute_rules_are_listed_by_alarm_and_by_status(fast_aws: Server):
    cloudwatch, alarm = fast_aws.client("cloudwatch"), unique("alarm")
    active = mute_now(fast_aws, alarm, minutes=600)
    later = unique("mute")
    schedule = {"Expression": "cron(0 2 * * SUN)", "Duration": "PT1M", "Timezone": "Europe/London"}
    cloudwatch.put_alarm_mute_rule(
        Name=later, Rule={"Schedule": schedule}, MuteTargets={"AlarmNames": [alarm, "other"]}
    )
    gone = unique("mute")
    past = {"Expression": "at(2020-01-01T00:00)", "Duration": "PT1H"}
    cloudwatch.put_alarm_mute_rule(Name=gone, Rule={"Schedule": past}, MuteTargets={"AlarmNames": [alarm]})

    def listed(**filters: object) -> dict[str, str]:
        rows = cloudwatch.list_alarm_mute_rules(**filters)["AlarmMuteRuleSummaries"]
        return {row["AlarmMuteRuleArn"].rpartition(":")[2]: row["Status"] for row in rows}

    assert listed(AlarmName=alarm) == {active: "ACTIVE", later: "SCHEDULED", gone: "EXPIRED"}
    assert listed(AlarmName=alarm, Statuses=["ACTIVE"]) == {active: "ACTIVE"}
    assert listed(AlarmName="other") == {later: "SCHEDULED"}
    found = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=later)
    assert found["Rule"]["Schedule"] == schedule
    assert found["MuteType"] == "RECURRING"
    assert found["Status"] == "SCHEDULED"


def test_a_mute_rule_that_cloudwatch_refuses_is_refused(fast_aws: Server):
    cloudwatch = fast_aws.client("cloudwatch")
    schedule = {"Expression": "at(2026-12-24T18:00)", "Duration": "P16D"}
    with pytest.raises(ClientError, match="Duration"):
        cloudwatch.put_alarm_mute_rule(Name="too-long", Rule={"Schedule": schedule})
    with pytest.raises(ClientError, match="ResourceNotFound"):
        cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="too-long")


def test_an_alarm_created_anew_has_no_past(fast_aws: Server):
    name = put_alarm(fast_aws, "m", TreatMissingData="ignore")
    set_state(fast_aws, name, "ALARM")
    cloudwatch = fast_aws.client("cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=[name])
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Test",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    events = event_queue(fast_aws, name)
    set_state(fast_aws, name, "ALARM")
    assert events(1)[0]["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    in_state(fast_aws, name, "ALARM")
