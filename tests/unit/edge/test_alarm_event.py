"""CloudWatch's events, as EventBridge delivers them, become signals; what is wrong with one is named."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from selfright.domain.alarms import State
from selfright.domain.errors import BadInputError
from selfright.domain.signal import Signal
from selfright.edge.alarm_event import alarm_signal
from tests.unit.template import ROOT

FOLDER = ROOT / "events" / "cloudwatch"
THROTTLES = "opportunity-analysis-development-analysis-results-write-throttles"
ERRORS = "opportunity-analysis-development-orchestrator-error-rate"
LATENCY = "opportunity-analysis-development-orchestrator-latency"
DOWN = "opportunity-analysis-development-service-down"


def event(name: str = "metric-alarm") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return loaded


def at(hour: int, minute: int, second: int, millisecond: int) -> datetime:
    return datetime(2026, 11, 23, hour, minute, second, millisecond * 1000, tzinfo=UTC)


# What must come of each golden event.
GOLDEN: dict[str, dict[str, Any]] = {
    "metric-alarm": {
        "name": THROTTLES,
        "state": State.ALARM,
        "previous_state": State.OK,
        "at": at(10, 2, 9, 417),
    },
    "metric-alarm-ok": {
        "name": THROTTLES,
        "state": State.OK,
        "previous_state": State.ALARM,
        "at": at(10, 12, 9, 398),
    },
    "metric-alarm-insufficient-data": {
        "name": THROTTLES,
        "state": State.INSUFFICIENT_DATA,
        "previous_state": State.OK,
        "at": at(10, 20, 9, 401),
    },
    "metric-alarm-muted": {
        "name": THROTTLES,
        "state": State.ALARM,
        "previous_state": State.OK,
        "at": at(10, 2, 9, 417),
        "muted_by": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm-mute-rule:nightly-load-test",
    },
    "metric-math-alarm": {
        "name": ERRORS,
        "state": State.ALARM,
        "previous_state": State.INSUFFICIENT_DATA,
        "at": at(10, 2, 33, 120),
    },
    "somebody-elses-alarm": {
        "name": "invoices-late",
        "state": State.ALARM,
        "previous_state": State.OK,
        "at": at(10, 2, 9, 417),
    },
    "anomaly-alarm": {
        "name": LATENCY,
        "state": State.ALARM,
        "previous_state": State.OK,
        "at": at(10, 2, 9, 417),
    },
    "contributor": {
        "name": THROTTLES,
        "state": State.ALARM,
        "at": at(10, 2, 9, 417),
        "contributor": "6d442278dba546f6",
    },
    "contributor-ok": {
        "name": THROTTLES,
        "state": State.OK,
        "at": at(10, 9, 9, 402),
        "contributor": "6d442278dba546f6",
    },
    "composite-alarm": {
        "name": DOWN,
        "composite": True,
        "state": State.ALARM,
        "previous_state": State.OK,
        "at": at(10, 2, 40, 250),
    },
    "composite-alarm-suppressed": {
        "name": DOWN,
        "composite": True,
        "state": State.ALARM,
        "previous_state": State.OK,
        "at": at(10, 2, 40, 250),
        "suppressed_by": "WaitPeriod",
    },
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_golden_event_becomes_its_signal(name: str):
    given, wanted = event(name), GOLDEN[name]

    assert alarm_signal(given) == Signal(
        account="123456789012",
        region="eu-central-1",
        subject=f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{wanted['name']}",
        reason=given["detail"]["state"]["reason"],
        **wanted,
    )


def test_every_golden_event_is_tested():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(GOLDEN)


def test_muted_and_told_again_is_the_same_signal():
    assert alarm_signal(event("metric-alarm-muted")).id == alarm_signal(event("metric-alarm")).id


def changed(path: str, value: Any, name: str = "metric-alarm") -> dict[str, Any]:
    """The golden event with one field set, or removed where `value` is ...."""
    given = copy.deepcopy(event(name))
    *folders, last = path.split(".")
    part = given
    for folder in folders:
        part = part[folder]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return given


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-23T10:02:09.417+0000", at(10, 2, 9, 417)),
        ("2026-11-23T10:02:09.417Z", at(10, 2, 9, 417)),
        ("2026-11-23T10:02:09+00:00", at(10, 2, 9, 0)),
        ("2026-11-23T11:02:09.417+0100", at(10, 2, 9, 417)),
    ],
)
def test_every_way_to_write_a_moment(written: str, moment: datetime):
    signal = alarm_signal(changed("detail.state.timestamp", written))

    assert signal.at == moment
    assert signal.at.utcoffset() == at(0, 0, 0, 0).utcoffset()


@pytest.mark.parametrize(
    "path", ["detail.previousState", "detail.state.reason", "detail.configuration", "id"]
)
def test_what_we_do_not_need_may_be_missing(path: str):
    assert alarm_signal(changed(path, ...)).id == alarm_signal(event()).id


def test_what_aws_adds_does_no_harm():
    assert alarm_signal(changed("detail.alarmTags", {"team": "shop"})) == alarm_signal(event())


@pytest.mark.parametrize("field", ["mutedByArn", "mutedBy"])
def test_a_mute_rule_is_named_by_either_field(field: str):
    rule = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm-mute-rule:nightly"

    assert alarm_signal(changed("detail.muteDetail", {field: rule})).muted_by == rule


def test_a_contributor_is_not_its_alarm():
    assert alarm_signal(event("contributor")).id != alarm_signal(event("metric-alarm")).id


def test_a_mute_that_does_not_say_by_whom_is_a_mute():
    assert alarm_signal(changed("detail.muteDetail", {})).muted_by == "a mute rule"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("detail-type", ...),
        ("detail-type", "CloudWatch Alarm Configuration Change"),
        ("source", ...),
        ("source", "my.app"),
        ("account", ...),
        ("account", "12345"),
        ("region", ...),
        ("region", ""),
        ("resources", ...),
        ("resources", []),
        ("detail", ...),
        ("detail.alarmName", ...),
        ("detail.alarmName", ""),
        ("detail.state", ...),
        ("detail.state.value", ...),
        ("detail.state.value", "BROKEN"),
        ("detail.state.timestamp", ...),
        ("detail.state.timestamp", "yesterday"),
        ("detail.state.timestamp", "2026-11-23T10:02:09"),
        ("detail.state.timestamp", 1_795_428_129),
        ("detail.previousState.value", "BROKEN"),
        ("detail.state.timestamp", "9999-12-31T23:59:59-14:00"),
        ("detail.state.timestamp", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_broken_event_names_the_field(path: str, value: Any):
    with pytest.raises(BadInputError) as caught:
        alarm_signal(changed(path, value))

    assert caught.value.field == path
    assert caught.value.rule


@pytest.mark.parametrize("nonsense", [None, [], "text", 1])
def test_what_is_no_event_at_all_is_said_to_be_so(nonsense: Any):
    with pytest.raises(BadInputError) as caught:
        alarm_signal(nonsense)

    assert caught.value.field == "event"


def test_golden_events_are_written_as_aws_writes_them():
    for path in sorted(Path(FOLDER).glob("*.json")):
        given = json.loads(path.read_text())
        assert {
            "version",
            "id",
            "detail-type",
            "source",
            "account",
            "time",
            "region",
            "resources",
            "detail",
        } == set(given)
        assert given["resources"][0].endswith(f":alarm:{given['detail']['alarmName']}")
