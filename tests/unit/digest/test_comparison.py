"""What differs is found and named; what only looks different is not."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from selfright.domain.digest import (
    Comparison,
    Difference,
    Kind,
    Verdict,
    compare,
    comparison,
    keyed,
)
from selfright.domain.digest.canonical import canonical_key
from tests.unit.digest.exports import (
    Item,
    MemoryExport,
    as_line,
    export_of,
    meaning,
    random_table,
    random_value,
    respelled,
    rewritten,
)

KEY = ["pk", "sk"]
TRIALS = int(os.environ.get("SELFRIGHT_MUTATIONS", "400"))  # the full proof is 10,000; see docs/digest.md
ITEMS: list[Item] = [{"pk": {"S": f"k{number}"}, "v": {"N": str(number)}} for number in range(300)]


def named(found: Comparison) -> dict[bytes, Kind]:
    return {
        canonical_key(difference.key, list(difference.key)): difference.kind
        for difference in found.differences
    }


def key_of(item: Item) -> bytes:
    return canonical_key(item, KEY)


def mutated(dice: random.Random, table: list[Item]) -> tuple[list[Item], dict[bytes, Kind]]:
    """A table with one change, and what must be said of it."""
    copy, expected = _mutated(dice, table)
    same = Counter(meaning({"M": item}) for item in copy) == Counter(meaning({"M": item}) for item in table)
    return mutated(dice, table) if same else (copy, expected)  # two items alike but for their keys, swapped


def _mutated(dice: random.Random, table: list[Item]) -> tuple[list[Item], dict[bytes, Kind]]:
    copy = deepcopy(table)
    place = dice.randrange(len(copy))
    item = copy[place]
    key = key_of(item)
    match dice.choice(
        ("drop", "duplicate", "insert", "swap keys", "rekey", "attribute", "attribute", "attribute")
    ):
        case "drop":
            del copy[place]
            return copy, {key: Kind.MISSING}
        case "duplicate":
            copy.insert(dice.randrange(len(copy)), deepcopy(item))
            return copy, {key: Kind.EXTRA}
        case "insert":
            new = {**deepcopy(item), "pk": {"S": "new"}}
            return [*copy, new], {key_of(new): Kind.EXTRA}
        case "swap keys":
            other = copy[place - 1]
            item["pk"], other["pk"], item["sk"], other["sk"] = (
                other["pk"],
                item["pk"],
                other["sk"],
                item["sk"],
            )
            return copy, {key: Kind.CHANGED, key_of(item): Kind.CHANGED}
        case "rekey":
            item["sk"] = dice.choice(({"S": item["sk"]["N"]}, {"N": item["sk"]["N"] + "1"}))
            return copy, {key: Kind.MISSING, key_of(item): Kind.EXTRA}
        case _:
            _change(dice, item)
            return copy, {key: Kind.CHANGED}


def _change(dice: random.Random, item: Item) -> None:
    """Another value somewhere below one attribute, or one attribute more or less, or of another name."""
    name = dice.choice([name for name in item if name not in KEY])
    match dice.choice(("value", "value", "value", "add", "remove", "rename")):
        case "add":
            item["b"] = random_value(dice)
        case "remove":
            del item[name]
        case "rename":
            item[name + "'"] = item.pop(name)
        case _:
            item[name] = _another(dice, item[name])


def _another(dice: random.Random, value: Item) -> Item:
    ((kind, content),) = value.items()
    ways: list[Callable[[], Item]] = [lambda: random_value(dice, depth=2)]
    if kind in {"S", "N", "B"} and content:
        ways.append(lambda: {dice.choice("SNB"): content})
        ways.append(lambda: {kind: content[:-1] + dice.choice("0123456789ABab=")})
    if kind in {"SS", "NS", "BS", "L"} and content:
        ways.append(lambda: {kind: content[1:]})
        ways.append(lambda: {kind: [*content, content[0]]})
        ways.append(lambda: {dice.choice(("SS", "NS", "BS", "L")): content})
    if kind == "L" and content:
        ways.append(lambda: {kind: [_another(dice, content[0]), *content[1:]]})
        ways.append(lambda: {kind: content[::-1]})
    if kind == "M" and content:
        name = dice.choice(list(content))
        ways.append(lambda: {kind: content | {name: _another(dice, content[name])}})
        ways.append(lambda: {kind: {inner: of for inner, of in content.items() if inner != name}})
    for _ in range(100):
        other = dice.choice(ways)()
        try:
            if meaning(other) != meaning(value):
                canonical_key({"pk": {"S": ""}, "x": other}, ["pk"])
                json.dumps(other)
                return other
        except (ArithmeticError, AttributeError, TypeError, ValueError):
            continue  # not a value that DynamoDB can hold
    return {"S": "quite another"} if value != {"S": "quite another"} else {"S": ""}


@pytest.mark.parametrize("seed", range(10))
def test_every_single_change_is_found_and_named(seed: int):
    dice, missed = random.Random(seed), []  # noqa: S311 - test data
    for trial in range(TRIALS // 10):
        table = random_table(dice, 12)
        copy, expected = mutated(dice, table)
        dice.shuffle(copy)

        found = compare(export_of(table, 2), export_of(copy, 3), KEY)

        if found.verdict is not Verdict.DIFFERENT or named(found) != expected:
            missed.append((seed, trial, found))
    assert missed == []


@pytest.mark.parametrize("seed", range(10))
def test_nothing_that_only_looks_different_is_a_difference(seed: int):
    dice = random.Random(seed)  # noqa: S311 - test data
    for _ in range(TRIALS // 20):
        table = random_table(dice, 12)
        lines = [as_line(_same(dice, item), ensure_ascii=dice.random() < 0.3) for item in table]
        dice.shuffle(lines)
        parts = dice.randint(1, 5)
        copy = MemoryExport([lines[number::parts] for number in range(parts)], level=dice.randint(0, 9))

        found = compare(export_of(table, 2), copy, KEY)

        assert (found.verdict, found.differences, found.problems) == (Verdict.EQUAL, (), ())


def _same(dice: random.Random, item: Item) -> Item:
    """The same item: numbers respelled, sets, maps and attributes in another order; also in the key."""
    return rewritten(
        {"M": item},
        lambda number: respelled(dice, number) if dice.random() < 0.7 else number,
        lambda members: dice.sample(members, len(members)),
    )["M"]


def test_equal_bytes_are_read_once():
    passes: list[str] = []

    found = compare(export_of(ITEMS), export_of(ITEMS[::-1], 4), ["pk"], enter=passes.append)

    assert (found.verdict, found.source_items, found.copy_items) == (Verdict.EQUAL, 300, 300)
    assert passes == ["raw"]


def test_only_the_buckets_that_differ_are_read_again():
    passes: list[str] = []
    copy = [*ITEMS[:-1], {"pk": {"S": "k299"}, "v": {"N": "299.0"}}]

    found = compare(export_of(ITEMS), export_of(copy), ["pk"], enter=passes.append)

    assert (found.verdict, found.buckets_reread) == (Verdict.EQUAL, 2)  # of its old line and its new one
    assert passes == ["raw", "canonical"]


def test_two_empty_exports_are_not_called_equal():
    found = compare(export_of([]), export_of([], 3), ["pk"])

    assert (found.verdict, found.source_items, found.problems) == (Verdict.EMPTY, 0, ())


def test_an_empty_copy_lacks_every_item():
    found = compare(export_of(ITEMS[:3]), export_of([]), ["pk"])

    assert found.verdict is Verdict.DIFFERENT
    assert found.differences == tuple(
        Difference(item, Kind.MISSING) for item in ({"pk": {"S": f"k{n}"}} for n in range(3))
    )


def test_differences_are_located_in_slices_that_fit_memory(monkeypatch: pytest.MonkeyPatch):
    # Given a copy without any item, and room for three of them, were buckets evenly filled
    monkeypatch.setattr(comparison, "AT_ONCE", 3)
    passes: list[str] = []

    found = compare(export_of(ITEMS), export_of([]), ["pk"], enter=passes.append)

    assert len(named(found)) == len(found.differences) == 300
    slices = len(passes) - 2
    assert slices > 1
    assert passes[2:] == [f"locate {number} of {slices}" for number in range(1, slices + 1)]


def test_looking_for_differences_ends_somewhere_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(comparison, "SHOWN", 10)

    found = compare(export_of(ITEMS), export_of([]), ["pk"])

    assert (len(found.differences), found.all_located, found.verdict) == (10, False, Verdict.DIFFERENT)


def test_keys_that_changed_around_t_may_differ():
    copy = [{"pk": {"S": "k0"}, "v": {"N": "7"}}, *ITEMS[1:]]
    exempt = {canonical_key(ITEMS[0], ["pk"])}

    found = compare(export_of(ITEMS), export_of(copy), ["pk"], exempt)

    assert (found.verdict, found.exempted, found.differences) == (Verdict.EQUAL, 1, ())


def test_an_exemption_covers_its_key_alone():
    copy = [{"pk": {"S": "k0"}, "v": {"N": "7"}}, *ITEMS[1:-1]]
    exempt = {canonical_key(ITEMS[0], ["pk"])}

    found = compare(export_of(ITEMS), export_of(copy), ["pk"], exempt)

    assert (found.verdict, found.exempted) == (Verdict.DIFFERENT, 1)
    assert found.differences == (Difference({"pk": {"S": "k299"}}, Kind.MISSING),)


def test_a_file_that_changes_between_two_readings_is_no_pass():
    class Shifting(MemoryExport):
        reads = 0

        def read(self, part: str) -> Any:
            self.reads += 1
            return super().read(part) if self.reads != 3 else iter([self.before])

    copy = Shifting([[as_line(item) for item in ITEMS[1:]]])
    copy.before = gzip.compress(b"".join(as_line(item) + b"\n" for item in ITEMS))

    found = compare(export_of(ITEMS), copy, ["pk"])

    assert found.verdict is Verdict.UNUSABLE
    assert [problem.kind.value for _, problem in found.problems] == ["changed_while_read"]


def test_the_keyed_way_comes_to_the_same_verdict():
    hashing = keyed(b"sixteen bytes at least")

    assert compare(export_of(ITEMS), export_of(ITEMS, 2), ["pk"], hashing=hashing).verdict is Verdict.EQUAL
    found = compare(export_of(ITEMS), export_of(ITEMS[1:], 2), ["pk"], hashing=hashing)
    assert found.differences == (Difference({"pk": {"S": "k0"}}, Kind.MISSING),)
