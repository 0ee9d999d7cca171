"""Digest one part: tier 1 adds up raw lines, tier 2 the canonical form of the items in some buckets only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from selfright.domain.digest.canonical import MalformedLineError, canonical, parse_line
from selfright.domain.digest.keys import BUCKETS, KeyReader
from selfright.domain.digest.parts import DamagedPartError, PartReader
from selfright.domain.digest.sums import MODULUS, XXH3, Fault, Hashing, PartDigest, Problem


def digest_raw(
    part: str, chunks: Iterable[bytes], keys: KeyReader | None = None, hashing: Hashing = XXH3
) -> PartDigest:
    """Tier 1: the sums of a part's raw lines, in buckets by their own hash if `keys` can read keys, else in one.

    Equal bytes prove equality; unequal bytes prove nothing yet (a number may be spelled in two ways). Faults become
    problems.
    """
    reader = PartReader(chunks)
    sums = [0] * (BUCKETS if keys else 1)
    before, problems = 0, []
    hash_of, low = hashing.hash, BUCKETS - 1
    try:
        for lines in reader:
            if keys is None:
                sums[0] += sum(map(hash_of, lines))
            else:
                keys.look_over(lines)
                for line in map(hash_of, lines):
                    sums[line & low] += line
            before = reader.items
    except (DamagedPartError, MalformedLineError) as fault:
        problems.append(problem_of(part, fault, before))
    totals = [total % MODULUS for total in sums]
    return PartDigest(part, hashing.name, reader.items, totals, reader.md5, tuple(problems))


def digest_canonical(
    part: str, chunks: Iterable[bytes], keys: KeyReader, within: Collection[int], hashing: Hashing = XXH3
) -> PartDigest:
    """Tier 2: the sums, in buckets by key, of the canonical form of the lines in the buckets `within` of tier 1.

    Faults become problems. `items` counts all lines of the part, so that a file that was changed between two passes is
    noticed.
    """
    reader = PartReader(chunks)
    sums, problems = [0] * BUCKETS, []
    try:
        for key, _, spelled in items_of(reader, keys, within, hashing):
            sums[key % BUCKETS] += hashing.hash(spelled)
    except (DamagedPartError, MalformedLineError) as fault:
        problems.append(problem_of(part, fault, 0))
    totals = [total % MODULUS for total in sums]
    return PartDigest(part, canonical_name(hashing), reader.items, totals, reader.md5, tuple(problems))


def canonical_name(hashing: Hashing) -> str:
    """What digests of tier 2 are called: they never add up with those of tier 1."""
    return f"{hashing.name} canonical"


def items_of(
    reader: PartReader, keys: KeyReader, within: Collection[int], hashing: Hashing
) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """The key's hash, attributes and canonical form of each item whose line falls into a bucket `within`.

    No other is parsed. Raises DamagedPartError, and MalformedLineError whose `at` is the line's place in the part.
    """
    wanted = [False] * BUCKETS
    for bucket in within:
        wanted[bucket] = True
    hash_of, low = hashing.hash, BUCKETS - 1
    before = 0
    for lines in reader:
        for place, line in enumerate(lines):
            if wanted[hash_of(line) & low]:
                try:
                    item = parse_line(line)
                    yield keys.hash_of(item), item, canonical(item)
                except MalformedLineError as error:
                    error.at = before + place
                    raise
        before = reader.items


def problem_of(part: str, fault: DamagedPartError | MalformedLineError, before: int) -> Problem:
    """The fault of a file as a problem. `before`: lines that were read without one."""
    if isinstance(fault, DamagedPartError):
        return Problem(fault.kind, part, str(fault))
    return Problem(Fault.MALFORMED_LINE, part, f"line {before + fault.at + 1} {fault}")
