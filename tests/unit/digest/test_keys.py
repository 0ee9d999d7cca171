"""Keys read without parsing are the keys that parsing finds, or parsing is what happens."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.digest import KeyReader
from selfright.domain.digest.canonical import MalformedLineError, parse_line
from selfright.domain.errors import BadInputError
from tests.unit.digest.exports import as_line, random_table

PLAIN = {"x": {"S": "1"}, "pk": {"S": "plain"}}


def hashes(reader: KeyReader, lines: list[bytes]) -> list[int]:
    return reader.hashes(b"".join(line + b"\n" for line in lines), lines)


def parsed(names: list[str], lines: list[bytes]) -> list[int]:
    return [KeyReader(names).hash_of(parse_line(line)) for line in lines]


def is_quick(names: list[str], lines: list[bytes]) -> bool:
    reader = KeyReader(names)
    hashes(reader, lines[:1])
    return reader._quick(b"".join(line + b"\n" for line in lines), lines) is not None


# Each line has another "pk" than the key, where a careless reader would find it first.
LOOKALIKES: dict[str, bytes] = {
    "nested before": as_line({"m": {"M": {"pk": {"S": "no"}}}, "pk": {"S": "yes"}}),
    "nested after": as_line({"pk": {"S": "yes"}, "m": {"M": {"pk": {"S": "no"}}}}),
    "nested, the key escaped": b'{"Item":{"m":{"M":{"pk":{"S":"no"}}},"\\u0070k":{"S":"yes"}}}',
    "nested, the key in another dress": b'{"Item":{"m":{"M":{"pk":{"S":"no"}}},"pk" : {"S":"yes"}}}',
    "in a string": as_line({"s": {"S": '"pk":{"S":"no"}'}, "pk": {"S": "yes"}}),
    "as a whole string": as_line({"s": {"S": "pk"}, "pk": {"S": "yes"}}),
    "as a member of a set": as_line({"s": {"SS": ["pk"]}, "pk": {"S": "yes"}}),
    "a name that ends so": as_line({'x"pk': {"S": "no"}, "pk": {"S": "yes"}}),
    "a name that ends so, after a backslash": as_line({'x\\"pk': {"S": "no"}, "pk": {"S": "yes"}}),
    "nested in a list": as_line({"l": {"L": [{"M": {"pk": {"S": "no"}}}]}, "pk": {"S": "yes"}}),
    "nested of another type": as_line({"m": {"M": {"pk": {"N": "1"}}}, "pk": {"S": "yes"}}),
}


@pytest.mark.parametrize("line", LOOKALIKES.values(), ids=LOOKALIKES)
def test_a_lookalike_never_fools_the_reader(line: bytes):
    # Given a reader that knows the key's type, and plain lines around
    reader, plain = KeyReader(["pk"]), as_line(PLAIN)
    wanted = hashes(reader, [as_line({"pk": {"S": "yes"}})])[0]

    found = hashes(reader, [plain, line, plain])

    assert found[1] == wanted
    assert found[0] == found[2] != wanted


def test_two_names_in_one_line_and_none_in_the_next_are_noticed():
    twice = as_line({"m": {"M": {"pk": {"S": "no"}}}, "pk": {"S": "yes"}})
    none = b'{"Item":{"\\u0070k":{"S":"other"}}}'
    reader = KeyReader(["pk"])
    hashes(reader, [as_line(PLAIN)])

    assert hashes(reader, [twice, none]) == parsed(["pk"], [twice, none])


@pytest.mark.parametrize(
    "item",
    [
        PLAIN,
        {"pk": {"S": ""}},
        {"pk": {"S": "Zürich 語"}},
        {"x": {"S": "a line\nand a tab\t"}, "pk": {"S": "k"}},
        {"m": {"M": {"deep": {"L": [{"S": "pkk"}]}}}, "pk": {"S": "k"}},
    ],
)
def test_what_aws_writes_is_read_the_quick_way(item: dict[str, Any]):
    lines = [as_line(item), as_line(PLAIN)]

    assert is_quick(["pk"], lines)
    assert hashes(KeyReader(["pk"]), lines) == parsed(["pk"], lines)


@pytest.mark.parametrize(
    "key", [{"S": 'quo"te'}, {"S": "back\\slash"}, {"S": "new\nline"}], ids=["quote", "backslash", "newline"]
)
def test_a_key_with_escapes_is_parsed(key: dict[str, str]):
    line = as_line({"pk": key, "x": {"S": "1"}})

    assert not is_quick(["pk"], [line])
    assert hashes(KeyReader(["pk"]), [line]) == parsed(["pk"], [line])


def test_keys_are_equal_by_value_and_not_by_spelling():
    numbers = [as_line({"pk": {"N": number}}) for number in ("1", "1.0", "10E-1", "100", "1E2", "-0", "0")]
    binaries = [as_line({"pk": {"B": text}}) for text in ("QQ==", "QR==")]

    one, same, again, hundred, also, zero, nought = hashes(KeyReader(["pk"]), numbers)

    assert one == same == again != hundred == also
    assert zero == nought
    assert len(set(hashes(KeyReader(["pk"]), binaries))) == 1


def test_a_spelling_of_the_name_or_of_the_line_does_not_matter():
    item = {"pk": {"S": "Zürich"}, "sk": {"N": "7"}}
    spelled = [
        as_line(item),
        as_line(item, indent=None, separators=(", ", ": ")),
        as_line(item, ensure_ascii=True),
    ]
    spelled.append(b'{"Item":{"sk":{"N":"7.0"},"\\u0070\\u006b":{"S":"Z\\u00fcrich"}}}')

    assert len(set(hashes(KeyReader(["pk", "sk"]), spelled))) == 1


@given(st.randoms(use_true_random=False))
def test_the_quick_way_agrees_with_parsing(dice: random.Random):
    lines = [as_line(item) for item in random_table(dice, 8)]
    reader = KeyReader(["pk", "sk"])

    for _ in range(2):  # the second time it knows the types
        assert hashes(reader, lines) == parsed(["pk", "sk"], lines)


@pytest.mark.parametrize("name", ['q"uote', "back\\slash", "sla/sh", "ünïcode", "pk"])
def test_any_name_may_be_a_key(name: str):
    lines = [as_line({name: {"S": "a"}, "m": {"M": {name: {"S": "no"}}}}), as_line({name: {"S": "b"}})]

    assert hashes(KeyReader([name]), lines) == parsed([name], lines)


def test_the_line_at_fault_is_told():
    lines = [as_line(PLAIN), as_line(PLAIN), as_line({"x": {"S": "1"}})]

    with pytest.raises(MalformedLineError, match="no key attribute pk") as raised:
        hashes(KeyReader(["pk"]), lines)

    assert raised.value.at == 2


@pytest.mark.parametrize("names", [[], [""], ["a", "a"], ["a", "b", "c"]])
def test_a_table_has_one_or_two_key_attributes(names: list[str]):
    with pytest.raises(BadInputError, match="partition key"):
        KeyReader(names)
