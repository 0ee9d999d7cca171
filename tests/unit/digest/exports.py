"""Exports in memory and on disk, items with every type of DynamoDB, and what an item means by another road.

`meaning` is the oracle: Decimal, tuples and Counters instead of the canonical spelling under test.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from selfright.domain.digest import Manifest, read_manifest

Item = dict[str, Any]
EXPORT_ID = "01763884800000-a1b2c3d4"


def as_line(item: Item, **spelling: Any) -> bytes:
    """One line without its newline, as AWS writes it unless told otherwise."""
    spelling = {"separators": (",", ":"), "ensure_ascii": False} | spelling
    return json.dumps({"Item": item}, **spelling).encode()


def md5(content: bytes) -> str:
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


class MemoryExport:
    """An export whose parts and manifests are bytes; tests change them to plant faults."""

    def __init__(self, parts: Sequence[Sequence[bytes]], level: int = 1) -> None:
        """`parts`: lines of each part."""
        self.files = {
            f"part{number}.json.gz": gzip.compress(b"".join(line + b"\n" for line in lines), level)
            for number, lines in enumerate(parts)
        }
        listed = [
            {
                "itemCount": len(lines),
                "md5Checksum": md5(content),
                "etag": "af83d6f217c19b8b0fff8023d8ca4716-1",
                "dataFileS3Key": f"AWSDynamoDB/{EXPORT_ID}/data/{name}",
            }
            for lines, (name, content) in zip(parts, self.files.items(), strict=True)
        ]
        summary = {
            "version": "2020-06-30",
            "itemCount": sum(map(len, parts)),
            "outputFormat": "DYNAMODB_JSON",
            "exportType": "FULL_EXPORT",
        }
        self.beside = {
            "manifest-summary.json": json.dumps(summary).encode(),
            "manifest-files.json": "".join(json.dumps(line) + "\n" for line in listed).encode(),
        }
        for stem in ("manifest-summary", "manifest-files"):
            self.beside[f"{stem}.md5"] = md5(self.beside[f"{stem}.json"]).encode()

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.beside)

    @property
    def present(self) -> Collection[str]:
        return self.files.keys()

    def read(self, part: str) -> Iterator[bytes]:
        content = self.files[part]
        for at in range(0, len(content), 1000):
            yield content[at : at + 1000]

    def write(self, folder: Path) -> Path:
        """The same on disk, in AWS's layout; returns `folder`."""
        home = folder / "AWSDynamoDB" / EXPORT_ID
        (home / "data").mkdir(parents=True)
        (home / "_started").touch()
        for name, content in self.beside.items():
            (home / name).write_bytes(content)
        for name, content in self.files.items():
            (home / "data" / name).write_bytes(content)
        return folder


def export_of(items: Sequence[Item], parts: int = 1) -> MemoryExport:
    lines = [as_line(item) for item in items]
    return MemoryExport([lines[number::parts] for number in range(parts)])


def random_table(dice: random.Random, items: int) -> list[Item]:
    """Items with key pk (S) and sk (N), other attributes of every type, in any order."""
    table = []
    for number in range(items):
        item = {f"a{place}": random_value(dice) for place in range(dice.randint(1, 4))}
        item |= {"pk": {"S": f"{dice.choice(TEXTS)}#{number}"}, "sk": {"N": str(dice.randint(0, 10**6))}}
        table.append(dict(dice.sample(list(item.items()), len(item))))
    return table


TEXTS = (
    "",
    "a",
    "b",
    "pk",
    '"pk":{"S":"x"}',
    "line\nbreak",
    "back\\slash",
    "Zürich",
    "語",
    "{}}",
    "1",
    "1.0",
    "AQ==",
)


def random_value(dice: random.Random, depth: int = 0) -> Item:
    kinds = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"] + (["L", "M", "M"] if depth < 3 else [])
    kind = dice.choice(kinds)
    return {kind: _content(dice, kind, depth)}


def _content(dice: random.Random, kind: str, depth: int) -> Any:
    match kind:
        case "BOOL":
            return dice.random() < 0.5
        case "NULL":
            return True
        case "SS" | "NS" | "BS":
            return _distinct(dice, kind[0])
        case "L":
            return [random_value(dice, depth + 1) for _ in range(dice.randint(0, 3))]
        case "M":
            names = dice.sample(["pk", "sk", "a0", "", 'q"uote', "back\\pk", "ü"], dice.randint(0, 3))
            return {name: random_value(dice, depth + 1) for name in names}
        case _:
            return _scalar(dice, kind)


def _scalar(dice: random.Random, kind: str) -> str:
    if kind == "S":
        return dice.choice(TEXTS) + dice.choice(TEXTS)
    if kind == "B":
        return b64encode(dice.randbytes(dice.randint(0, 5))).decode()
    digits = dice.choice((1, 2, 5, 38))
    number = dice.randint(0, 10**digits - 1) * dice.choice((1, -1))
    return f"{number}E{dice.randint(-80, 80)}" if dice.random() < 0.3 else str(number)


def _distinct(dice: random.Random, kind: str) -> list[str]:
    found: dict[Any, str] = {}
    for _ in range(dice.randint(1, 4)):
        value = _scalar(dice, kind)
        found[meaning({kind: value})] = value
    return list(found.values())


def meaning(value: Item) -> Any:
    """What DynamoDB holds for one typed value; equal for equal values alone."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return (kind, Decimal(content))
        case "B":
            return (kind, b64decode(content, validate=True))
        case "SS" | "NS" | "BS":
            return (kind, frozenset(Counter(meaning({kind[0]: member}) for member in content).items()))
        case "L":
            return (kind, tuple(map(meaning, content)))
        case "M":
            return (kind, frozenset((name, meaning(inner)) for name, inner in content.items()))
        case _:
            return (kind, content)


def rewritten(value: Item, number: Callable[[str], str], order: Callable[[list[Any]], list[Any]]) -> Item:
    """The same value: numbers respelled, sets and maps put into another order."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return {kind: number(content)}
        case "NS":
            return {kind: order([number(member) for member in content])}
        case "SS" | "BS":
            return {kind: order(content)}
        case "L":
            return {kind: [rewritten(inner, number, order) for inner in content]}
        case "M":
            pairs = [(name, rewritten(inner, number, order)) for name, inner in content.items()]
            return {kind: dict(order(pairs))}
        case _:
            return value


def respelled(dice: random.Random, number: str) -> str:
    """Another way to write the same number."""
    value = Decimal(number)
    sign, digits, exponent = value.as_tuple()
    whole = ("-" if sign else dice.choice(("", "+"))) + "0" * dice.randint(0, 2) + "".join(map(str, digits))
    assert isinstance(exponent, int)
    zeros = dice.randint(0, 3)
    ways = [
        f"{whole}{'0' * zeros}{dice.choice('eE')}{exponent - zeros}",
        f"{whole}.{'0' * zeros}E{exponent:+d}",
    ]
    if -50 < exponent < 50:
        ways.append(f"{value:f}")
    return dice.choice(ways)
