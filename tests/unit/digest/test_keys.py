"""A key's bucket follows from its value alone, and lines that are no items are noticed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.digest import KeyReader
from selfright.domain.digest.canonical import MalformedLineError, canonical_key, parse_line
from selfright.domain.errors import BadInputError
from tests.unit.digest.exports import as_line, random_table

PLAIN = as_line({"x": {"S": "1"}, "pk": {"S": "plain"}})


def hash_of(names: list[str], line: bytes) -> int:
    return KeyReader(names).hash_of(parse_line(line))


def test_keys_are_equal_by_value_and_not_by_spelling():
    numbers = [as_line({"pk": {"N": number}}) for number in ("1", "1.0", "10E-1", "100", "1E2", "-0", "0")]
    binaries = [as_line({"pk": {"B": text}}) for text in ("QQ==", "QR==")]

    one, same, again, hundred, also, zero, nought = [hash_of(["pk"], line) for line in numbers]

    assert one == same == again != hundred == also
    assert zero == nought
    assert len({hash_of(["pk"], line) for line in binaries}) == 1


def test_a_spelling_of_the_name_or_of_the_line_does_not_matter():
    item = {"pk": {"S": "Zürich"}, "sk": {"N": "7"}}
    spelled = [
        as_line(item),
        as_line(item, indent=None, separators=(", ", ": ")),
        as_line(item, ensure_ascii=True),
        b'{"Item":{"sk":{"N":"7.0"},"\\u0070\\u006b":{"S":"Z\\u00fcrich"}}}',
    ]

    assert len({hash_of(["pk", "sk"], line) for line in spelled}) == 1


@given(st.randoms(use_true_random=False))
def test_equal_keys_have_equal_hashes(dice: Any):
    reader = KeyReader(["pk", "sk"])
    by_key: dict[bytes, set[int]] = {}
    for item in random_table(dice, 8):
        by_key.setdefault(canonical_key(item, ["pk", "sk"]), set()).add(reader.hash_of(item))

    assert all(len(hashes) == 1 for hashes in by_key.values())


def test_a_nested_name_is_not_the_key():
    nested = as_line({"m": {"M": {"pk": {"S": "no"}}}, "pk": {"S": "yes"}})

    assert hash_of(["pk"], nested) == hash_of(["pk"], as_line({"pk": {"S": "yes"}}))


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        ([as_line({"x": {"S": "1"}}), PLAIN], 0),  # another table's key
        ([PLAIN, PLAIN, b'{"Item":{"pk":{"S":"k"'], 2),
        ([PLAIN, b'{"Keys":{"pk":{"S":"k"}}}'], 1),
        ([PLAIN, b'{"Item": {"x":{"S":"1"}}}'], 1),
    ],
)
def test_the_line_at_fault_is_told(lines: list[bytes], at: int):
    with pytest.raises(MalformedLineError) as raised:
        KeyReader(["pk"]).look_over(lines)

    assert raised.value.at == at


def test_lines_in_aws_own_dress_and_in_another_are_let_through():
    KeyReader(["pk"]).look_over([PLAIN, as_line({"pk": {"N": "1"}}, separators=(", ", ": "))])


@pytest.mark.parametrize("names", [[], [""], ["a", "a"], ["a", "b", "c"]])
def test_a_table_has_one_or_two_key_attributes(names: list[str]):
    with pytest.raises(BadInputError, match="partition key"):
        KeyReader(names)
