"""From one reading of both exports to the next, and at last to what the comparison came to.

Raw sums of every line; canonical sums of the buckets that differ; the keys of the buckets that differ still.
Nothing is read twice where the bytes are equal. Who reads the parts, and where, is all the same here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from selfright.domain.digest.digesting import canonical_name
from selfright.domain.digest.keys import BUCKETS
from selfright.domain.digest.manifest import Manifest, reconcile
from selfright.domain.digest.outcome import Comparison, Difference, Kind, Verdict
from selfright.domain.digest.readings import FIRST, PartKeys, PartResult, Reading, Tier, readings_for_keys
from selfright.domain.digest.sums import (
    MODULUS,
    XXH3,
    Fault,
    Hashing,
    PartDigest,
    Problem,
    TableDigest,
    merged,
)
from selfright.domain.errors import ConflictError

SIDES = ("source", "copy")


@dataclass(frozen=True)
class Progress:
    """How far a comparison has come: what is to be read next, and what is known from the readings before."""

    reading: Reading = FIRST
    items: tuple[int, int] = (0, 0)  # of source and copy
    buckets_reread: int = 0
    differing: tuple[int, ...] = ()  # buckets of keys, whose canonical sums differ
    number: int = 0  # of the readings for keys, how many were made
    found: tuple[tuple[str, Kind], ...] = ()  # canonical keys
    exempted: int = 0

    def document(self) -> dict[str, Any]:
        """As JSON, some 100 KB at most: keep it in S3, not in a state machine's payload."""
        return {**vars(self), "reading": self.reading.document()}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Progress:
        known = {
            "reading": Reading.parse(document["reading"]),
            "items": tuple(document["items"]),
            "differing": tuple(document["differing"]),
            "found": tuple((key, Kind(kind)) for key, kind in document["found"]),
        }
        return cls(**{**document, **known})


class Side(Protocol):
    """What `advance` asks of an export: not its bytes."""

    @property
    def manifest(self) -> Manifest:
        """What it should hold."""

    @property
    def present(self) -> Collection[str]:
        """Names of the parts that are there."""


def parts_of(side: Side) -> list[str]:
    """The parts that a reading has to look at: those listed that are there."""
    return list(dict.fromkeys(part.name for part in side.manifest.parts if part.name in side.present))


@dataclass(frozen=True)
class Effort:
    """How much is done to name the items that differ.

    `at_once`: items whose keys are held at once, 500 bytes each. `shown`: differences after which looking for more is
    given up. `readings`: the same for readings of all parts; None: as many as it takes.
    """

    at_once: int
    shown: int
    readings: int | None = None


def advance(  # noqa: PLR0917 - the first three say what, the others how
    come: Progress,
    sides: Sequence[Side],
    results: Sequence[Iterable[PartResult]],
    effort: Effort,
    hashing: Hashing = XXH3,
    exempt: Collection[bytes] = frozenset(),
) -> Progress | Comparison:
    """What comes of a reading: the next one, or the end. `sides`, `results`: of the source, then of the copy.

    Results are taken one at a time, so memory does not grow with their number. Raises ConflictError where a part has
    no result, or two.
    """
    if come.reading.tier is Tier.KEYS:
        return _named(come, sides, results, exempt, effort)
    raw = come.reading.tier is Tier.RAW
    problems, (ours, theirs) = _added_up(sides, results, hashing.name if raw else canonical_name(hashing))
    items = (ours.items, theirs.items) if raw else come.items
    if problems:
        return Comparison(Verdict.UNUSABLE, *items, problems=problems, buckets_reread=come.buckets_reread)
    buckets = tuple(sorted(ours.differing(theirs)))
    if raw and buckets:
        return Progress(Reading(Tier.CANONICAL, buckets), items, len(buckets))
    if not buckets:
        equal = Verdict.EQUAL if any(items) else Verdict.EMPTY
        return Comparison(equal, *items, buckets_reread=come.buckets_reread)
    first = next(readings_for_keys(come.reading.lines, buckets, sum(items), effort.at_once))
    return replace(come, reading=first, differing=buckets)


def _added_up(
    sides: Sequence[Side], results: Sequence[Iterable[PartResult]], name: str
) -> tuple[tuple[tuple[str, Problem], ...], list[TableDigest]]:
    """Both tables' sums. A side with problems has those of the parts that could be read."""
    problems: list[tuple[str, Problem]] = []
    tables = []
    for told, side, digests in zip(SIDES, sides, results, strict=True):
        seen: list[PartDigest] = []  # without their sums: they would fill memory before the table is read
        tables.append(merged(_noted(digests, seen), parts_of(side), name, BUCKETS))
        problems += [(told, problem) for problem in reconcile(side.manifest, side.present, seen)]
    return tuple(problems), tables


def _noted(digests: Iterable[PartResult], seen: list[PartDigest]) -> Iterator[PartDigest]:
    for digest in digests:
        if not isinstance(digest, PartDigest):
            raise ConflictError(f"{digest.part} was read for its keys, not for its sums")
        seen.append(replace(digest, sums=()))
        yield digest


def _named(
    come: Progress,
    sides: Sequence[Side],
    results: Sequence[Iterable[PartResult]],
    exempt: Collection[bytes],
    effort: Effort,
) -> Progress | Comparison:
    """Differences among the items that were looked at, by their keys."""
    problems: list[tuple[str, Problem]] = []
    balance: dict[str, tuple[int, int, int]] = {}  # key -> sum of source minus copy, items in each
    for told, sign, side, parts in zip(SIDES, (1, -1), sides, results, strict=True):
        problems += [(told, problem) for problem in _struck(balance, sign, side, parts)]
    found, exempted = list(come.found), come.exempted
    for key, (total, ours, theirs) in sorted(balance.items()):
        if not (total % MODULUS or ours != theirs):
            continue
        if key.encode() in exempt:
            exempted += 1
        else:
            found.append(
                (key, Kind.MISSING if ours > theirs else Kind.EXTRA if theirs > ours else Kind.CHANGED)
            )
    readings = list(readings_for_keys(come.reading.lines, come.differing, sum(come.items), effort.at_once))
    number, most = come.number + 1, min(len(readings), effort.readings or len(readings))
    if not problems and len(found) <= effort.shown and number < most:
        return replace(come, reading=readings[number], number=number, found=tuple(found), exempted=exempted)
    whole = len(found) <= effort.shown and number == len(readings)
    if not problems and whole and not found and not exempted:
        said = "differs by its sums, but in no item: a file was changed meanwhile"
        problems.append(("copy", Problem(Fault.CHANGED_WHILE_READ, "data", said)))
    if problems:
        return Comparison(
            Verdict.UNUSABLE, *come.items, problems=tuple(problems), buckets_reread=come.buckets_reread
        )
    named = tuple(Difference(orjson.loads(key), kind) for key, kind in sorted(found)[: effort.shown])
    verdict = Verdict.DIFFERENT if named or not whole else Verdict.EQUAL
    return Comparison(verdict, *come.items, named, whole, exempted, come.buckets_reread)


def _struck(
    balance: dict[str, tuple[int, int, int]], sign: int, side: Side, parts: Iterable[PartResult]
) -> Iterator[Problem]:
    """Add a side's items to the balance of their keys (`sign` 1) or take them from it (-1); tells what is wrong."""
    expected = {part.name: part.md5 for part in side.manifest.parts}
    left = set(parts_of(side))
    for part in parts:
        if not isinstance(part, PartKeys) or part.part not in left:
            raise ConflictError(f"{part.part} is no part that is still to be looked at for its keys")
        left.discard(part.part)
        yield from part.problems
        if part.md5 != expected[part.part]:
            said = "is not the file any more that was read before"
            yield Problem(Fault.CHANGED_WHILE_READ, part.part, said)
        for key, (count, total) in part.keys.items():
            sums, ours, theirs = balance.get(key, (0, 0, 0))
            balance[key] = (sums + sign * total, ours + count * (sign > 0), theirs + count * (sign < 0))
    if left:
        raise ConflictError(f"{len(left)} parts have no keys, {min(left)} among them")
