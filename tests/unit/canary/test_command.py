"""`selfright judge`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.judge import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def counts(control: str, canary: str, *options: str) -> Result:
    return run("counts", "--control", control, "--canary", canary, *options)


@pytest.fixture
def latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command over two files, given as lists or as the text of the file."""
    monkeypatch.chdir(tmp_path)

    def judge(control: Any, canary: Any, *options: str) -> Result:
        for name, content in (("control.json", control), ("canary.json", canary)):
            text = content if isinstance(content, str) else json.dumps(content)
            Path(name).write_text(text, encoding="utf-8")
        return run("latency", "control.json", "canary.json", *options)

    return judge


def test_json_tells_a_verdict_on_counts():
    outcome = counts("0/36", "2/4", "--gates", "5", "--alpha", "0.05", "--json")

    assert outcome.exit_code == 0
    assert json.loads(outcome.stdout) == {
        "verdict": "FAIL",
        "p_value": pytest.approx(6 / 780),
        "threshold": pytest.approx(0.01),
        "n_min": 59,
        "reason": "canary 2/4 against control 0/36: more errors than chance explains",
    }


@pytest.mark.parametrize(
    ("control", "canary", "verdict"),
    [("1/900", "0/100", "PASS"), ("1/900", "12/100", "FAIL"), ("0/9", "0/9", "INCONCLUSIVE")],
)
def test_the_exit_code_is_0_whatever_the_verdict(control: str, canary: str, verdict: str):
    outcome = counts(control, canary, "--gates", "3", "--alpha", "0.01")

    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"{verdict}: ")


def test_people_read_two_lines():
    assert counts("1/900", "12/100", "--gates", "5", "--alpha", "0.01").stdout.splitlines() == [
        "FAIL: canary 12/100 against control 1/900: more errors than chance explains",
        "p-value 6.41e-12, fails at 0.002 and below; passes from 59 a side",
    ]


def test_the_service_level_sets_how_many_calls_it_takes():
    outcome = counts("0/100", "0/100", "--max-error-rate", "0.01", "--json")

    assert (json.loads(outcome.stdout)["verdict"], json.loads(outcome.stdout)["n_min"]) == (
        "INCONCLUSIVE",
        299,
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1/9", "12/10"), "--canary: errors must not exceed calls, 12 are more than 10"),
        (
            ("-1/9", "1/10"),
            "--control: must be errors/calls in whole numbers from 0, such as 3/120, not '-1/9'",
        ),
        (("x", "1/10"), "--control: must be errors/calls"),
        (("nan/9", "1/10"), "--control: must be errors/calls"),
        (("1/9", "0.5/10"), "--canary: must be errors/calls"),
        (("1/9", "1/²"), "--canary: must be errors/calls"),
        (("1/9", ""), "--canary: must be errors/calls"),
        (("1/9", "1/99999999999"), "--canary: must be errors/calls"),
        (("1/9", "1/10", "--alpha", "nan"), "--alpha: must be a number above 0 and below 1, not 'nan'"),
        (("1/9", "1/10", "--alpha", "0"), "--alpha: must be a number above 0 and below 1"),
        (("1/9", "1/10", "--alpha", "1.5"), "--alpha: must be a number above 0 and below 1"),
        (("1/9", "1/10", "--alpha", "much"), "--alpha: must be a number above 0 and below 1"),
        (("1/9", "1/10", "--max-error-rate", "5"), "--max-error-rate: must be a number above 0 and below 1"),
        (("1/9", "1/10", "--gates", "0"), "--gates: must be from 1 to 1000, not 0"),
        (("1/9", "1/10", "--gates", "1001"), "--gates: must be from 1 to 1000, not 1001"),
        (("1/9", "1/10", "--gates", "few"), "--gates"),
    ],
)
def test_bad_counts_name_field_and_rule(arguments: tuple[str, ...], told: str):
    outcome = counts(*arguments)

    assert outcome.exit_code == 2
    assert told in outcome.stderr
    assert outcome.stdout == ""


def test_json_tells_a_verdict_on_latency(latency: Any):
    control = [200 + 3 * n for n in range(20)]

    outcome = latency(control, [value + 30 for value in control], "--json")

    assert outcome.exit_code == 0
    assert json.loads(outcome.stdout) == {
        "verdict": "FAIL",
        "p_value": pytest.approx(2.6e-5, rel=0.05),
        "threshold": 0.001,
        "n_min": 20,
        "reason": "slower by 30, p = 2.6e-05: more than chance explains, and more than 22.85",
        "shift": 30,
        "floor": pytest.approx(22.85),
    }


def test_minutes_may_be_marked_as_cold_starts(latency: Any):
    warm = [{"timestamp": "2026-11-23T10:00:00Z", "value": 100}] * 20
    cold = [{"value": 3000, "cold_start": True}] * 20

    outcome = latency(warm, [*cold, *warm], "--json")

    assert (json.loads(outcome.stdout)["verdict"], json.loads(outcome.stdout)["shift"]) == ("PASS", 0)


def test_few_points_are_inconclusive(latency: Any):
    outcome = latency([1, 2], [100, 200])

    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(
        "INCONCLUSIVE: 2 minutes of control and 2 of canary: fewer than 20 a side"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "canary.json: is not JSON"),
        ("[1, NaN]", "canary.json: NaN is no JSON number"),
        ("[]", "canary.json: must be a list of 1 to 1440 latencies, one per minute"),
        ("{}", "canary.json: must be a list of 1 to 1440 latencies"),
        ([1] * 1441, "canary.json: must be a list of 1 to 1440 latencies"),
        ([1, "2"], "canary.json: [1]: must be a number"),
        ([1, None], "canary.json: [1]: must be a number"),
        ([1, True], "canary.json: [1]: must be a number"),
        ([1, -2], "canary.json: [1]: must be a finite number from 0"),
        ("[1, 1e999]", "canary.json: [1]: must be a finite number from 0"),
        ("[" + "9" * 400 + "]", "canary.json: [0]: must be a finite number from 0"),
        ([{"value": None}], "canary.json: [0].value: must be a number"),
        ([{"cold_start": True}], "canary.json: [0].value: must be a number"),
        ([{"value": 1, "cold_start": 1}], "canary.json: [0].cold_start: must be true or false"),
        ([{"value": 1, "unit": "ms"}], "canary.json: [0].unit: is not known"),
    ],
)
def test_bad_latencies_name_field_and_rule(latency: Any, content: Any, told: str):
    outcome = latency([1.0] * 20, content)

    assert outcome.exit_code == 2
    assert told in outcome.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    outcome = run("latency", str(tmp_path / "none.json"), str(tmp_path / "none.json"))

    assert outcome.exit_code == 2
    assert "none.json: cannot be read" in outcome.stderr
