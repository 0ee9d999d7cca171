"""One spelling for what is the same, two for what is not."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.digest.canonical import (
    MalformedLineError,
    canonical,
    canonical_key,
    canonical_number,
    parse_line,
)
from tests.unit.digest.exports import as_line, meaning, random_value, respelled, rewritten

SAME_NUMBERS = [
    ("1", ["1.0", "1E0", "10E-1", "0.1e1", "+1", "01", "1.", "100e-2"]),
    ("0", ["-0", "0.0", "-0.00", "0E9", "000", "-0E-130"]),
    ("-1.5", ["-15E-1", "-1.50", "-0.15E1"]),
    ("100", ["1E2", "100.00", "1.00E+2"]),
    ("9" * 38, ["9" * 38 + ".0", "0." + "9" * 38 + "E38"]),
    ("1E125", ["1" + "0" * 125, "0.1E126"]),
    ("1E-130", ["0." + "0" * 129 + "1", "10E-131"]),
]


@pytest.mark.parametrize(("number", "spellings"), SAME_NUMBERS, ids=[number for number, _ in SAME_NUMBERS])
def test_a_number_has_one_spelling_by_its_value(number: str, spellings: list[str]):
    assert {canonical_number(spelling) for spelling in spellings} == {canonical_number(number)}


def test_neighbours_at_38_digits_stay_apart():
    assert canonical_number("9" * 37 + "8") != canonical_number("9" * 38)
    assert canonical_number("1." + "0" * 36 + "1") != canonical_number("1")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None), st.randoms(use_true_random=False))
def test_every_spelling_of_a_number_is_that_number(number: Decimal, dice: random.Random):
    spelled = canonical_number(respelled(dice, str(number)))

    assert spelled == canonical_number(str(number))
    assert Decimal(spelled) == number


@pytest.mark.parametrize(
    "text", ["", ".", "-", "e5", "NaN", "Infinity", "1 ", "1_0", "0x1", "1e", "\u0661", None, 1, True]
)
def test_what_is_no_number_is_refused(text: Any):
    with pytest.raises(MalformedLineError):
        canonical_number(text)


SAME = [
    ({"NS": ["1", "2"]}, {"NS": ["2.0", "1"]}),
    ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
    ({"BS": ["AQ==", "Ag=="]}, {"BS": ["Ag==", "AQ=="]}),
    ({"B": "QQ=="}, {"B": "QR=="}),  # spare bits of base64 are no bytes
    ({"M": {"a": {"N": "1"}, "b": {"S": ""}}}, {"M": {"b": {"S": ""}, "a": {"N": "1.0"}}}),
    ({"L": [{"N": "1"}]}, {"L": [{"N": "1.00"}]}),
]
DIFFERENT = [
    ({"N": "1"}, {"S": "1"}),
    ({"S": "AQ=="}, {"B": "AQ=="}),
    ({"SS": ["1"]}, {"NS": ["1"]}),
    ({"SS": ["1"]}, {"L": [{"S": "1"}]}),
    ({"SS": ["a", "b"]}, {"SS": ["a,b"]}),
    ({"SS": ["a"]}, {"SS": ["a", "a"]}),
    ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
    ({"L": [{"L": []}, {"S": "a"}]}, {"L": [{"L": [{"S": "a"}]}]}),
    ({"M": {}}, {"L": []}),
    ({"M": {"a": {"M": {}}}}, {"M": {"a": {"L": []}}}),
    ({"NULL": True}, {"BOOL": True}),
    ({"BOOL": False}, {"BOOL": True}),
    ({"S": ""}, {"NULL": True}),
    ({"S": "é"}, {"S": "e\u0301"}),  # DynamoDB compares bytes, not what people see
    ({"SS": []}, {"NS": []}),
    ({"N": "1"}, {"BOOL": True}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_value_has_one_spelling(one: dict[str, Any], other: dict[str, Any]):
    assert canonical({"a": one}) == canonical({"a": other})


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_value_has_another_spelling(one: dict[str, Any], other: dict[str, Any]):
    assert canonical({"a": one}) != canonical({"a": other})


@given(st.randoms(use_true_random=False))
def test_spellings_are_equal_exactly_where_the_meanings_are(dice: random.Random):
    one, other = random_value(dice, depth=2), random_value(dice, depth=2)
    again = rewritten(
        one, lambda number: respelled(dice, number), lambda members: dice.sample(members, len(members))
    )

    assert (canonical({"a": one}) == canonical({"a": other})) == (meaning(one) == meaning(other))
    assert canonical({"a": one}) == canonical({"a": again})


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({"N": "one"}, "no number"),
        ({"N": 1}, "no number"),
        ({"S": 1}, "no string"),
        ({"B": "A"}, "no base64"),
        ({"B": "A-_="}, "no base64"),
        ({"BOOL": "true"}, "no truth value"),
        ({"NULL": False}, "always true"),
        ({"SS": "a"}, "no list"),
        ({"M": []}, "no map"),
        ({"X": "a"}, "no type"),
        ({}, "no typed value"),
        ({"S": "a", "N": "1"}, "no typed value"),
        ("a", "no typed value"),
    ],
)
def test_what_dynamodb_cannot_hold_is_refused(value: Any, rule: str):
    with pytest.raises(MalformedLineError, match=rule):
        canonical({"a": value})


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"Item":{"a":{"S":"1"},"a":{"S":"2"}}}', "given twice"),
        (b'{"Item":{"a":{"M":{"b":{"S":"1"},"b":{"S":"1"}}}}}', "given twice"),
        (b'{"Item":{"a":{"S":"\\u0041"},"a":{"S":"2"}}}', "given twice"),
        (b'{"Item":{"a":{"S":"1"}', "not JSON"),
        (b'{"Item":{"a":{"S":"\xff"}}}', "not JSON"),
        (b"", "not JSON"),
        (b"[]", "no object"),
        (b'{"Keys":{}}', "no object"),
        (b'{"Item":[]}', "no object"),
    ],
)
def test_a_line_that_is_no_item_is_refused(line: bytes, rule: str):
    with pytest.raises(MalformedLineError, match=rule):
        parse_line(line)


def test_a_line_in_any_dress_is_read():
    item = {"pk": {"S": "Zürich\n"}}

    assert parse_line(as_line(item, indent=1)) == item
    assert parse_line(as_line(item, ensure_ascii=True)) == item


def test_a_key_is_spelled_in_the_order_asked_for_and_by_value():
    item = {"sk": {"N": "1.0"}, "x": {"S": ""}, "pk": {"B": "QR=="}}

    assert canonical_key(item, ["pk", "sk"]) == b'{"pk":{"B":"QQ=="},"sk":{"N":"1"}}'


@pytest.mark.parametrize(
    ("item", "rule"), [({"x": {"S": ""}}, "no key attribute pk"), ({"pk": {"BOOL": True}}, "BOOL")]
)
def test_an_item_without_its_key_is_refused(item: dict[str, Any], rule: str):
    with pytest.raises(MalformedLineError, match=rule):
        canonical_key(item, ["pk"])
