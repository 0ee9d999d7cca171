"""What one pass over the parts of both exports looks for, and what comes of one part.

A part's result stands alone: parts are read in any order, by any number of readers, on any machine. It carries its
part's name, so a part that was read twice is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfright.domain.digest.canonical import MalformedLineError, canonical_key
from selfright.domain.digest.digesting import digest_canonical, digest_raw, items_of, problem_of
from selfright.domain.digest.keys import BUCKETS, KeyReader
from selfright.domain.digest.parts import DamagedPartError, PartReader
from selfright.domain.digest.sums import MODULUS, Hashing, PartDigest, Problem


class Tier(StrEnum):
    """How closely a reading looks."""

    RAW = "raw"  # the sums of every line as it lies
    CANONICAL = "canonical"  # the sums of the items in some buckets, in their one spelling
    KEYS = "keys"  # each of those items, by its key


@dataclass(frozen=True)
class Reading:
    """One pass over all parts.

    `lines`: the buckets, by their own hash, of the lines that are looked at. `keys`: those of their keys that are
    told; of them the part `slice_` of `slices`.
    """

    tier: Tier
    lines: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    slice_: int = 0
    slices: int = 1

    def document(self) -> dict[str, Any]:
        """As JSON, 50 KB at most."""
        return {**vars(self), "lines": list(self.lines), "keys": list(self.keys)}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Reading:
        known = {"lines": tuple(document["lines"]), "keys": tuple(document["keys"])}
        return cls(**{**document, **known, "tier": Tier(document["tier"])})


FIRST = Reading(Tier.RAW)


@dataclass(frozen=True)
class PartKeys:
    """The items of a part that a reading for keys looked at: by canonical key, how many and the sum of their hashes."""

    part: str
    items: int  # lines in the part, looked at or not
    md5: str
    keys: Mapping[str, tuple[int, int]]
    problems: tuple[Problem, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON; sums in hexadecimal, for they exceed what other readers of JSON take."""
        problems = [[problem.kind, problem.where, problem.what] for problem in self.problems]
        keys = [[key, count, f"{total:x}"] for key, (count, total) in self.keys.items()]
        return {**vars(self), "keys": keys, "problems": problems}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> PartKeys:
        keys = {key: (count, int(total, 16)) for key, count, total in document["keys"]}
        problems = tuple(Problem.parse(problem) for problem in document["problems"])
        return cls(**{**document, "keys": keys, "problems": problems})


PartResult = PartDigest | PartKeys


def read_part(
    reading: Reading, part: str, chunks: Iterable[bytes], keys: KeyReader, hashing: Hashing
) -> PartResult:
    """What one part gives. Faults of the file become problems of the result."""
    if reading.tier is Tier.RAW:
        return digest_raw(part, chunks, keys, hashing)
    if reading.tier is Tier.CANONICAL:
        return digest_canonical(part, chunks, keys, reading.lines, hashing)
    told = frozenset(reading.keys)
    reader = PartReader(chunks)
    found: dict[str, tuple[int, int]] = {}
    problems: list[Problem] = []
    try:
        for hash_, item, spelled in items_of(reader, keys, reading.lines, hashing):
            if hash_ % BUCKETS in told and hash_ // BUCKETS % reading.slices == reading.slice_:
                key = canonical_key(item, keys.names).decode()
                count, total = found.get(key, (0, 0))
                found[key] = (count + 1, (total + hashing.hash(spelled)) % MODULUS)
    except (DamagedPartError, MalformedLineError) as fault:
        problems.append(problem_of(part, fault, 0))
    return PartKeys(part, reader.items, reader.md5, found, tuple(problems))


def result_of(document: Mapping[str, Any]) -> PartResult:
    """The result that `document` was made from."""
    return PartKeys.parse(document) if "keys" in document else PartDigest.parse(document)


def readings_for_keys(
    lines: tuple[int, ...], keys: Iterable[int], items: int, at_once: int
) -> Iterator[Reading]:
    """Readings that name the items of the buckets `keys`, each with about `at_once` of the `items` of both sides.

    Whole buckets where that is possible: in each of them there is a difference to be found.
    """
    ordered = sorted(keys)
    in_one = -(-items // BUCKETS)  # how many a bucket holds, were all evenly filled
    together, slices = max(1, at_once // max(1, in_one)), max(1, -(-in_one // at_once))
    for first in range(0, len(ordered), together):
        for slice_ in range(slices):
            yield Reading(Tier.KEYS, lines, tuple(ordered[first : first + together]), slice_, slices)
