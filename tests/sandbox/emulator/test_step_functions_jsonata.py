"""JSONata and JSONPath states: what expressions see, and what happens when one fails."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.state_machines import (
    Definition,
    history,
    impossible_put,
    jsonata,
    jsonpath,
    pass_,
    play,
    table,
    types,
)


def output_of(aws: Server, expression: str, given: Any = None) -> Any:
    done = play(aws, jsonata(A=pass_(Output=expression)), given)
    assert done.status == "SUCCEEDED", done.cause
    return done.output


@pytest.mark.parametrize(
    ("expression", "given", "expected"),
    [
        ("{% $states.input.name & '!' %}", {"name": 'a "quoted"\nline \\'}, 'a "quoted"\nline \\!'),
        ("{% 10 / $states.input.n %}", {"n": 4}, 2.5),
        ("{% 10 / $states.input.n %}", {"n": 5}, 2),
        ("{% $states.input.gone %}", {"gone": None}, None),
        ("{% $exists($states.input.gone) %}", {}, False),
        ("{% $exists($states.errorOutput) %}", {}, False),
        ("{% [$states.input.rows[n > 1].n] %}", {"rows": [{"n": 1}, {"n": 2}, {"n": 3}]}, [2, 3]),
        ("{% $partition([1, 2, 3], 2) %}", {}, [[1, 2], [3]]),
        ("{% $range(0, 6, 3) %}", {}, [0, 3, 6]),
        ("{% $parse($states.input.text).a %}", {"text": '{"a": [1]}'}, [1]),
        (
            "{% $hash('a', 'SHA-256') %}",
            {},
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        ),
        ("{% $states.context.Execution.Input.a %}", {"a": 1}, 1),
        ("{% $states.context.State.Name %}", {}, "A"),
    ],
)
def test_expressions(aws: Server, expression: str, given: Any, expected: Any):
    # Given a state whose Output is the expression / When it runs / Then this is its output
    assert output_of(aws, expression, given) == expected


def test_assign_and_output_see_the_variables_of_the_states_beginning(aws: Server):
    # Given a state that assigns x and gives x as its output
    machine = jsonata(
        A=pass_(Assign={"x": 1}, Next="B"),
        B=pass_(Assign={"x": 2, "y": "{% $x + 10 %}"}, Output={"x": "{% $x %}"}, Next="C"),
        C=pass_(Output={"before": "{% $states.input.x %}", "after": "{% $x %}", "y": "{% $y %}"}),
    )
    # When it runs
    done = play(aws, machine)
    # Then only the following state sees the new value
    assert done.output == {"before": 1, "after": 2, "y": 11}


def test_a_choice_compares_assigns_and_falls_to_its_default(aws: Server):
    # Given a choice with a rule that assigns
    machine = jsonata(
        A={
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n > 1 %}", "Assign": {"size": "big"}, "Next": "B"}],
            "Default": "B",
            "Assign": {"size": "small"},
        },
        B=pass_(Output="{% $size %}"),
    )
    # When it runs on both sides of the rule
    outputs = [play(aws, machine, {"n": n}).output for n in (1, 2)]
    # Then each side assigns its own
    assert outputs == ["small", "big"]


def test_parallel_takes_arguments_and_gives_output_and_variables(aws: Server):
    # Given branches that assign for themselves
    branch = {
        "StartAt": "In",
        "States": {"In": pass_(Assign={"inner": 1}, Output="{% $states.input.n * 2 %}")},
    }
    machine = jsonata(
        A={
            "Type": "Parallel",
            "Arguments": {"n": "{% $states.input.n + 1 %}"},
            "Branches": [branch, branch],
            "Assign": {"both": "{% $states.result %}"},
            "Output": "{% $sum($states.result) %}",
            "Next": "B",
        },
        B=pass_(
            Output={"sum": "{% $states.input %}", "both": "{% $both %}", "leaked": "{% $exists($inner) %}"}
        ),
    )
    # When it runs
    done = play(aws, machine, {"n": 1})
    # Then the result is both branches', and their variables stayed inside
    assert done.output == {"sum": 8, "both": [4, 4], "leaked": False}


def test_jsonpath_states_read_variables_too(aws: Server):
    # Given a JSONPath machine with one JSONata state
    machine = jsonpath(
        A=pass_(Assign={"x.$": "$.n"}, Next="B"),
        B={**pass_(Output={"twice": "{% $x * 2 %}"}, Next="C"), "QueryLanguage": "JSONata"},
        C=pass_(Parameters={"x.$": "$x", "twice.$": "$.twice", "text.$": "States.Format('n={}', $x)"}),
    )
    # When it runs
    done = play(aws, machine, {"n": 3})
    # Then both languages saw the variable
    assert done.output == {"x": 3, "twice": 6, "text": "n=3"}


UNDEFINED = "The JSONata expression '$states.input.gone' returned nothing (undefined)."


def test_an_undefined_result_fails_the_execution_and_says_where(aws: Server):
    # Given a state whose expression selects nothing
    machine = jsonata(A=pass_(Output={"x": "{% $states.input.gone %}"}))
    # When it runs
    done = play(aws, machine)
    # Then the execution fails with AWS's error, recorded once
    assert (done.status, done.error) == ("FAILED", "States.QueryEvaluationError")
    place = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert done.cause == place + UNDEFINED
    assert types(aws, done.arn) == [
        "ExecutionStarted",
        "PassStateEntered",
        "EvaluationFailed",
        "ExecutionFailed",
    ]
    assert history(aws, done.arn)[2]["evaluationFailedEventDetails"] == {
        "error": "States.QueryEvaluationError",
        "cause": place + UNDEFINED,
        "state": "A",
    }


def test_a_task_catches_its_failed_expression(aws: Server):
    # Given a task whose Arguments fail, and a catch-all
    name = table(aws)
    broken = impossible_put(
        name, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $states.errorOutput %}"}]
    )
    broken["Arguments"]["Item"] = "{% $states.input.gone %}"
    machine: Definition = jsonata(A=broken, B=pass_())
    # When it runs
    done = play(aws, machine)
    # Then the catch gets name and cause, and the history shows the failure once
    assert done.output == {"Error": "States.QueryEvaluationError", "Cause": UNDEFINED}
    assert types(aws, done.arn).count("EvaluationFailed") == 1


def test_an_expression_that_throws_names_the_jsonata_error(aws: Server):
    # Given an expression that calls a function that does not exist / When it runs
    done = play(aws, jsonata(A=pass_(Output="{% $nonsense(1) %}")))
    # Then the cause holds JSONata's own code
    assert done.error == "States.QueryEvaluationError"
    assert done.cause is not None
    assert "T1006" in done.cause
