"""`selfright alarm evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.alarm import app
from tests.unit.alarms.builders import math_alarm, put_metric_alarm


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command over an alarm and points, given as objects or as the text of the file."""
    monkeypatch.chdir(tmp_path)

    def evaluate(alarm: Any, points: Any, *options: str) -> Result:
        for name, content in (("alarm.json", alarm), ("points.json", points)):
            text = content if isinstance(content, str) else json.dumps(content)
            Path(name).write_text(text, encoding="utf-8")
        return CliRunner().invoke(
            app, ["evaluate", "alarm.json", "points.json", *options], env={"COLUMNS": "200"}
        )

    return evaluate


def readings(*values: Any) -> list[dict[str, Any]]:
    return [
        {"timestamp": f"2026-11-23T10:0{minute}:00Z", "value": value} for minute, value in enumerate(values)
    ]


def test_json_tells_state_and_reason_after_each_period(run: Any):
    outcome = run(put_metric_alarm(), readings(1, 9, None, 9), "--json")

    assert outcome.exit_code == 0
    states = json.loads(outcome.stdout)["states"]
    assert [(state["timestamp"], state["state"]) for state in states] == [
        ("2026-11-23T10:00:00Z", "OK"),
        ("2026-11-23T10:01:00Z", "OK"),
        ("2026-11-23T10:02:00Z", "OK"),
        ("2026-11-23T10:03:00Z", "ALARM"),
    ]
    assert states[3]["reason"] == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (23/11/26 10:03:00), 9.0 (23/11/26 10:01:00)] "
        "were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )


def test_the_table_is_for_people(run: Any):
    outcome = run(put_metric_alarm(AlarmName="[bold]shop[/bold]"), readings(9, None))

    assert outcome.exit_code == 0
    assert "[bold]shop[/bold]" in outcome.stdout
    assert "2026-11-23T10:01:00Z" in outcome.stdout
    assert "ALARM" in outcome.stdout


@pytest.mark.parametrize(
    "times",
    [
        ["2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z"],
        ["2026-11-23T10:00:00+00:00", "2026-11-23T11:01:00+01:00"],
        ["2026-11-23T10:00:00.000+0000", "2026-11-23T10:01:00.000+0000"],
        [1795428000, 1795428060],
        [1795428000.0, 1795428060.0],
    ],
)
def test_timestamps_come_back_as_they_were_written(run: Any, times: list[Any]):
    outcome = run(put_metric_alarm(), [{"timestamp": at, "value": 1} for at in times], "--json")

    assert [state["timestamp"] for state in json.loads(outcome.stdout)["states"]] == times


def test_no_points_give_no_states(run: Any):
    assert json.loads(run(put_metric_alarm(), [], "--json").stdout) == {"states": []}


def test_few_samples_keep_a_percentile_alarm_as_it_is(run: Any):
    alarm = put_metric_alarm(
        Statistic=None, ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="ignore", EvaluationPeriods=1,
        DatapointsToAlarm=1,
    )  # fmt: skip
    points = [
        reading | {"sample_count": samples}
        for reading, samples in zip(readings(9, 9), (10, 1000), strict=True)
    ]

    states = json.loads(run(alarm, points, "--json").stdout)["states"]

    assert [state["state"] for state in states] == ["INSUFFICIENT_DATA", "ALARM"]


def test_a_math_alarm_is_computed_from_its_metrics(run: Any):
    alarm = math_alarm(
        "IF(calls > 20, 100 * errors / calls)", "errors", "calls", TreatMissingData="notBreaching"
    )

    outcome = run(alarm, {"errors": readings(30, 30, None), "calls": readings(100, 100, 10)}, "--json")

    states = json.loads(outcome.stdout)["states"]
    assert [state["state"] for state in states] == ["OK", "ALARM", "ALARM"]
    assert "30.0 (23/11/26 10:01:00)" in states[1]["reason"]


def test_the_result_of_a_math_alarm_may_be_given_itself(run: Any):
    outcome = run(math_alarm("errors", "errors"), readings(9, 9), "--json")

    assert [state["state"] for state in json.loads(outcome.stdout)["states"]][-1] == "ALARM"


@pytest.mark.parametrize(
    ("alarm", "message"),
    [
        ("{", "alarm.json: is not JSON"),
        ("[" * 100_000, "alarm.json: is not JSON"),
        ("[]", "alarm.json: alarm: must be an object"),
        (put_metric_alarm(Threshold=None), "alarm.json: Threshold: is required"),
        (
            put_metric_alarm(TreatMissingData="good"),
            "alarm.json: TreatMissingData: must be 'missing', 'ignore'",
        ),
        (
            put_metric_alarm(DatapointsToAlarm=4),
            "alarm.json: DatapointsToAlarm: must be at most EvaluationPeriods",
        ),
        ('{"AlarmName": "a", "Threshold": NaN}', "alarm.json: NaN is no JSON number"),
    ],
)
def test_a_bad_alarm_file_is_named_with_field_and_rule(run: Any, alarm: Any, message: str):
    outcome = run(alarm, readings(1))

    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert outcome.stdout == ""


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("not json", "points.json: is not JSON"),
        ("\ufeff[]", "points.json: is not JSON"),
        ("7", "points.json: must be a list of points"),
        ([7], "points.json: [0]: must be an object"),
        ([{"value": 1}], "points.json: [0].timestamp: is required"),
        ([{"timestamp": 0}], "points.json: [0].value: is required"),
        ([{"timestamp": "noon", "value": 1}], "points.json: [0].timestamp: must be an ISO 8601 time"),
        ([{"timestamp": None, "value": 1}], "points.json: [0].timestamp: must be an ISO 8601 time"),
        ([{"timestamp": 1e300, "value": 1}], "points.json: [0].timestamp: must be an ISO 8601 time"),
        (readings("9"), "points.json: [0].value: must be a number or null"),
        (readings(True), "points.json: [0].value: must be a number or null"),
        ('[{"timestamp": 0, "value": NaN}]', "points.json: NaN is no JSON number"),
        ('[{"timestamp": 0, "value": 1e999}]', "points.json: [0].value: must be a finite number"),
        (readings(10**400), "points.json: [0].value: must be a finite number"),
        (readings(1, 2)[::-1], "points.json: [1].timestamp: must be one period (60 s) after the one before"),
        (
            readings(1, 2, 3)[::2],
            "points.json: [1].timestamp: must be one period (60 s) after the one before",
        ),
        (
            [{"timestamp": 0, "value": 1, "sample_count": "many"}],
            "points.json: [0].sample_count: must be a number",
        ),
        ({"m2": []}, "points.json: m1: is required, as a list"),
        ({"m1": []} | {"m2": []}, "points.json: m2: is no metric of the alarm"),
        ({"m1": 7}, "points.json: m1: must be a list of points"),
        ({"m1": readings("9")}, "points.json: m1[0].value: must be a number or null"),
    ],
)
def test_bad_points_are_named_with_place_and_rule(run: Any, points: Any, message: str):
    outcome = run(put_metric_alarm(), points)

    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert outcome.stdout == ""


def test_metrics_of_different_times_are_refused(run: Any):
    outcome = run(math_alarm("a + b", "a", "b"), {"a": readings(1, 2), "b": readings(1)})

    assert outcome.exit_code == 2
    assert "points.json: b: must have the timestamps of a" in outcome.stderr


def test_an_expression_that_cannot_be_computed_is_named(run: Any):
    outcome = run(math_alarm("SEARCH('x', 'Sum') + a", "a"), {"a": readings(1)})

    assert outcome.exit_code == 2
    assert "alarm.json: Metrics.e1.Expression: the function SEARCH is not supported" in outcome.stderr


def test_an_anomaly_alarm_needs_its_band(run: Any):
    alarm = math_alarm("ANOMALY_DETECTION_BAND(m1, 2)", "m1")
    alarm["Metrics"][0]["ReturnData"] = True
    alarm |= {"ThresholdMetricId": "e1", "ComparisonOperator": "GreaterThanUpperThreshold"}

    without = run(alarm, readings(9, 9))
    within = run(alarm, [reading | {"lower": 0, "upper": 10} for reading in readings(9, 9)], "--json")

    assert without.exit_code == 2
    assert "points.json: ComparisonOperator: GreaterThanUpperThreshold needs the band" in without.stderr
    assert [state["state"] for state in json.loads(within.stdout)["states"]] == ["OK", "OK"]


@pytest.mark.parametrize("missing", ["alarm.json", "points.json"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str):
    monkeypatch.chdir(tmp_path)
    for name, content in (("alarm.json", put_metric_alarm()), ("points.json", readings(1))):
        if name != missing:
            Path(name).write_text(json.dumps(content), encoding="utf-8")

    outcome = CliRunner().invoke(app, ["evaluate", "alarm.json", "points.json"])

    assert outcome.exit_code == 2
    assert f"{missing}: cannot be read: No such file or directory" in outcome.stderr


def test_a_file_that_is_no_text_is_named(run: Any, tmp_path: Path):
    run(put_metric_alarm(), readings(1))
    (tmp_path / "points.json").write_bytes(b"\xff\xfe")

    outcome = CliRunner().invoke(app, ["evaluate", "alarm.json", "points.json"])

    assert outcome.exit_code == 2
    assert "points.json: is not JSON" in outcome.stderr


def test_names_may_be_left_out_because_the_points_stand_for_the_metric(tmp_path: Path):
    # Given a definition of nothing but the rule
    rule = {
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    (tmp_path / "alarm.json").write_text(json.dumps(rule))
    (tmp_path / "points.json").write_text(json.dumps([{"timestamp": 0, "value": 6}]))
    # When it is evaluated
    outcome = CliRunner().invoke(
        app, ["evaluate", str(tmp_path / "alarm.json"), str(tmp_path / "points.json"), "--json"]
    )
    # Then the rule decides
    assert outcome.exit_code == 0
    assert [s["state"] for s in json.loads(outcome.stdout)["states"]] == ["ALARM"]
