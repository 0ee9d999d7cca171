"""Whether an answer is one to be content with."""

from __future__ import annotations

from typing import Any

import pytest

from selfright.domain.manifest import Invoke
from selfright.domain.release.probing import SHOWN, Answered, HealthRecord, Heard, in_one_line, of_invoke


def asked(expect: dict[str, Any], body: Any) -> str | None:
    probe = Invoke.model_validate({"type": "invoke", "function": "checkout", "expect": expect})
    return of_invoke("it", probe, Heard(seconds=0.1, body=body)).why


@pytest.mark.parametrize(
    ("expect", "body"),
    [
        ({}, None),
        ({"statusCode": 200}, {"statusCode": 200, "more": True}),
        ({"body": {"items": [1, 2]}}, {"body": {"items": [1, 2], "more": 3}}),
        ({"price": 1}, {"price": 1.0}),  # JSON has one kind of number
        ({"gone": None}, {"gone": None}),
    ],
)
def test_an_answer_may_hold_more_than_is_expected(expect: dict[str, Any], body: Any):
    assert asked(expect, body) is None


@pytest.mark.parametrize(
    ("expect", "body", "why"),
    [
        ({"a": 1}, None, "answer is None, not an object"),
        ({"a": 1}, {}, "answer has no a"),
        ({"a": None}, {}, "answer has no a"),
        ({"a": 1}, {"a": True}, "answer.a is True, not 1"),
        ({"a": {"b": {"c": "x"}}}, {"a": {"b": {"c": "y"}}}, "answer.a.b.c is 'y', not 'x'"),
        ({"a": {"b": 1}}, {"a": [1]}, "answer.a is [1], not an object"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "answer.a is [2, 1], not [1, 2]"),
    ],
)
def test_the_first_difference_is_told_with_its_place(expect: dict[str, Any], body: Any, why: str):
    assert asked(expect, body) == why


def test_of_a_long_answer_only_the_beginning_is_told():
    assert len(str(asked({"a": 1}, {"a": "x" * 10_000}))) < SHOWN + 50


def test_what_failed_is_told_and_else_how_long_it_took():
    passed, failed = Answered(name="one", seconds=0.25), Answered(name="two", seconds=3, why="no answer")

    assert in_one_line((passed, failed)) == "two: no answer"
    assert in_one_line((passed,)) == "1 passed, the slowest in 0.2 s"
    assert in_one_line(()) == "nothing to ask"


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ((), (), ()),
        (("deep.page",), ("deep.page",), ()),
        (("deep.page",), ("deep.page", "liveness.cart"), ("liveness.cart",)),
        ((), None, ()),  # nobody asked: not worse, and close_release.py takes it for no health either
    ],
)
def test_worse_is_what_was_healthy_before(
    before: tuple[str, ...], after: tuple[str, ...] | None, worse: tuple[str, ...]
):
    assert HealthRecord(before=before, after=after).worse == worse
