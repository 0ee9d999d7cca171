"""Composite alarm rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.alarms import CompositeRule, State
from selfright.domain.errors import BadInputError, NotFoundError

STATES = {"cpu": State.ALARM, "disk": State.OK, "deploy": State.INSUFFICIENT_DATA}
ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:"


@pytest.mark.parametrize(
    ("rule", "alarm"),
    [
        ("ALARM(cpu)", True),
        ('ALARM("cpu")', True),
        ('ALARM ( "cpu" )', True),
        (f"ALARM({ARN}cpu)", True),
        (f'ALARM("{ARN}cpu")', True),
        ("OK(cpu)", False),
        ("OK(disk)", True),
        ("INSUFFICIENT_DATA(deploy)", True),
        ("TRUE", True),
        ("FALSE", False),
        ("False", False),
        ("NOT ALARM(cpu)", False),
        ("ALARM(cpu) AND NOT ALARM(deploy)", True),
        ("ALARM(disk) OR ALARM(cpu) AND OK(disk)", True),
        ("ALARM(cpu) OR ALARM(disk) AND FALSE", True),
        ("(ALARM(cpu) OR ALARM(disk)) AND FALSE", False),
        ("NOT (ALARM(disk) OR ALARM(deploy))", True),
        ("AT_LEAST(1, ALARM, (cpu, disk, deploy))", True),
        ("AT_LEAST(2, ALARM, (cpu, disk, deploy))", False),
        ("AT_LEAST(2, NOT ALARM, (cpu, disk, deploy))", True),
        ("AT_LEAST(3, NOT ALARM, (cpu, disk, deploy))", False),
        ("AT_LEAST(50%, ALARM, (cpu, disk))", True),
        ("AT_LEAST(51%, ALARM, (cpu, disk))", False),
        ('AT_LEAST("50%", NOT OK, ("cpu", "disk"))', True),
        (f"AT_LEAST(1, OK, ({ARN}cpu, {ARN}disk)) AND NOT ALARM(deploy)", True),
    ],
)
def test_rule(rule: str, alarm: bool):
    assert CompositeRule.parse(rule).evaluate(STATES) is (State.ALARM if alarm else State.OK)


def test_children_are_named_once_in_order_as_written():
    rule = CompositeRule.parse(f'ALARM({ARN}cpu) OR AT_LEAST(1, OK, ("disk full", cpu)) OR OK("disk full")')

    assert rule.children == (f"{ARN}cpu", "disk full", "cpu")


def test_quoted_names_may_hold_anything():
    # Given a name with a space, a bracket, a comma and an escaped quotation mark
    rule = CompositeRule.parse(r'ALARM("my (big), \"red\" alarm")')

    assert rule.children == ('my (big), "red" alarm',)
    assert rule.evaluate({'my (big), "red" alarm': State.ALARM}) is State.ALARM


def test_states_may_be_keyed_by_arn():
    assert CompositeRule.parse("ALARM(a:b)").evaluate({f"{ARN}a:b": State.ALARM}) is State.ALARM


def test_an_unknown_child_is_not_taken_as_fine():
    with pytest.raises(NotFoundError, match="memory"):
        CompositeRule.parse("ALARM(cpu) OR ALARM(memory)").evaluate(STATES)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "1 to 10,240 characters"),
        ("   ", "it ends too early"),
        ("TRUE OR " * 1300 + "TRUE", "1 to 10,240 characters"),
        ("ALARM(cpu", r"'\)' expected"),
        ("ALARM()", r"name or ARN of an alarm expected, '\)' found"),
        ("ALARM(disk full)", r"'\)' expected, 'full' found"),
        ('ALARM("cpu)', "character 7 is not understood"),
        ("ALARM(cpu) ALARM(disk)", "follows a complete expression"),
        ("ALARM(cpu) XOR ALARM(disk)", "'XOR' follows a complete expression"),
        ("AND ALARM(cpu)", "'AND' where ALARM"),
        ("cpu", "'cpu' where ALARM"),
        ("(ALARM(cpu)", r"'\)' expected, 'end' found"),
        ("AT_LEAST(x, ALARM, (cpu))", "takes a number or a percentage"),
        ("AT_LEAST(1, RED, (cpu))", "not 'RED'"),
        ("AT_LEAST(1, ALARM, ())", "name or ARN of an alarm expected"),
        ("AT_LEAST(1, ALARM, cpu)", r"'\(' expected"),
        (" OR ".join(f"ALARM(a{number})" for number in range(101)), "at most 100 child alarms"),
        (" OR ".join(["TRUE"] * 501), "at most 500 elements"),
        ("NOT " * 51 + "TRUE", "more than 50 levels"),
        ("(" * 51 + "TRUE" + ")" * 51, "more than 50 levels"),
    ],
)
def test_a_wrong_rule_is_refused(text: str, rule: str):
    with pytest.raises(BadInputError, match=rule) as caught:
        CompositeRule.parse(text)

    assert caught.value.field == "AlarmRule"


@given(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(State), min_size=4), st.integers(1, 4))
def test_at_least_counts(states: dict[str, State], number: int):
    rule = CompositeRule.parse(f"AT_LEAST({number}, ALARM, (a, b, c, d))")

    firing = list(states.values()).count(State.ALARM)
    assert rule.evaluate(states) is (State.ALARM if firing >= number else State.OK)
