"""Compare two exports of a table: what is the same by its bytes is not looked at again, the rest down to the key.

Three passes, each over less: raw sums of every line; canonical sums of the buckets that differ; the keys of the
buckets that differ still. Nothing is read twice where the bytes are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

import orjson

from selfright.domain.digest.canonical import canonical_key
from selfright.domain.digest.digesting import canonical_name, digest_canonical, digest_raw, items_of
from selfright.domain.digest.keys import BUCKETS, KeyReader
from selfright.domain.digest.manifest import Manifest, reconcile
from selfright.domain.digest.parts import PartReader
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

AT_ONCE = 100_000  # items whose keys are held at once while differences are located: about 50 MB
SHOWN = 1000  # differences after which looking for more is given up


class Verdict(StrEnum):
    """What a comparison came to."""

    EQUAL = "equal"
    EMPTY = "empty"  # equal, and nothing in either: it proves nothing of a table that should have items
    DIFFERENT = "different"
    UNUSABLE = "unusable"  # a problem is open: neither equal nor different can be said


class Kind(StrEnum):
    """What became of an item of the source in the copy."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"


class Export(Protocol):
    """An export wherever it lies."""

    @property
    def manifest(self) -> Manifest:
        """What it should hold."""

    @property
    def present(self) -> Collection[str]:
        """Names of the parts that are there."""

    def read(self, part: str) -> Iterable[bytes]:
        """The gzip bytes of a part that is there, in chunks."""


@dataclass(frozen=True)
class Difference:
    """One item that is not the same on both sides; its key in DynamoDB JSON."""

    key: dict[str, Any]
    kind: Kind


@dataclass(frozen=True)
class Comparison:
    """The verdict and what it rests on."""

    verdict: Verdict
    source_items: int
    copy_items: int
    differences: tuple[Difference, ...] = ()
    all_located: bool = True  # False: there are more differences than are shown
    exempted: int = 0  # differences left out because the item changed around T
    buckets_reread: int = 0
    problems: tuple[tuple[str, Problem], ...] = ()  # "source" or "copy", and what is wrong with it


def compare(  # noqa: PLR0917 - the first three say what, the others how
    source: Export,
    copy: Export,
    key: Sequence[str],
    exempt: Collection[bytes] = frozenset(),
    hashing: Hashing = XXH3,
    enter: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Say whether `copy` holds what `source` holds, by the names of the table's key attributes.

    `exempt`: canonical keys that may differ (see `changed_around`). `enter` is told each pass by name.
    Raises BadInputError where `key` is not that of a table.
    """
    run = _Run(source, copy, KeyReader(key), hashing)
    enter("raw")
    problems, tables = run.digest(
        lambda part, chunks: digest_raw(part, chunks, run.keys, hashing), hashing.name
    )
    items = (tables["source"].items, tables["copy"].items)
    if problems:
        return Comparison(Verdict.UNUSABLE, *items, problems=problems)
    buckets = tables["source"].differing(tables["copy"])
    if not buckets:
        return Comparison(Verdict.EQUAL if any(items) else Verdict.EMPTY, *items)
    enter("canonical")
    problems, tables = run.digest(
        lambda part, chunks: digest_canonical(part, chunks, run.keys, buckets, hashing),
        canonical_name(hashing),
    )
    if problems:
        return Comparison(Verdict.UNUSABLE, *items, problems=problems, buckets_reread=len(buckets))
    changed = tables["source"].differing(tables["copy"])
    found: list[Difference] = []
    exempted, whole = 0, True
    slices = -(-sum(items) * len(changed) // BUCKETS // AT_ONCE)
    for number in range(slices):
        enter(f"locate {number + 1} of {slices}")
        for difference, identity in run.locate(changed, number, slices):
            if identity in exempt:
                exempted += 1
            elif len(found) < SHOWN:
                found.append(difference)
            else:
                whole = False
        if not whole:
            break
    if changed and not found and not exempted:
        told = "differs by its sums, but in no item: a file was changed meanwhile"
        problems = (("copy", Problem(Fault.CHANGED_WHILE_READ, "data", told)),)
        return Comparison(Verdict.UNUSABLE, *items, problems=problems, buckets_reread=len(buckets))
    verdict = Verdict.DIFFERENT if found else Verdict.EQUAL
    return Comparison(verdict, *items, tuple(found), whole, exempted, len(buckets))


class _Run:
    """The two sides of one comparison, read over and over."""

    def __init__(self, source: Export, copy: Export, keys: KeyReader, hashing: Hashing) -> None:
        self.sides = {"source": source, "copy": copy}
        self.keys = keys
        self.hashing = hashing

    def digest(
        self, digest: Callable[[str, Iterable[bytes]], PartDigest], name: str
    ) -> tuple[tuple[tuple[str, Problem], ...], dict[str, TableDigest]]:
        """Digest every part that is there. A side with problems has a table of the parts that could be read."""
        problems, tables = [], {}
        for side, export in self.sides.items():
            wanted = [part.name for part in export.manifest.parts if part.name in export.present]
            seen: list[PartDigest] = []  # without their sums: they would fill memory before the table is read
            digests = (digest(part, export.read(part)) for part in dict.fromkeys(wanted))
            tables[side] = merged(_noted(digests, seen), wanted, name, BUCKETS)
            problems += [(side, problem) for problem in reconcile(export.manifest, export.present, seen)]
        return tuple(problems), tables

    def locate(
        self, buckets: Collection[int], number: int, slices: int
    ) -> Iterator[tuple[Difference, bytes]]:
        """Differences among one of so many slices of the items in `buckets`, with their canonical keys."""

        def wanted(key: int) -> bool:
            return key % BUCKETS in buckets and key // BUCKETS % slices == number

        balance: dict[bytes, tuple[int, int, int]] = {}  # key -> sum of source minus copy, items in each
        for sign, export in zip((1, -1), self.sides.values(), strict=True):
            for part in export.manifest.parts:
                reader = PartReader(export.read(part.name))
                for _, item, spelled in items_of(reader, self.keys, wanted):
                    identity = canonical_key(item, self.keys.names)
                    total, ours, theirs = balance.get(identity, (0, 0, 0))
                    total += sign * self.hashing.hash(spelled)
                    balance[identity] = (total, ours + (sign > 0), theirs + (sign < 0))
        for identity, (total, ours, theirs) in sorted(balance.items()):
            if total % MODULUS or ours != theirs:
                kind = Kind.MISSING if ours > theirs else Kind.EXTRA if theirs > ours else Kind.CHANGED
                yield Difference(orjson.loads(identity), kind), identity


def _noted(digests: Iterable[PartDigest], seen: list[PartDigest]) -> Iterator[PartDigest]:
    for digest in digests:
        seen.append(replace(digest, sums=()))
        yield digest
