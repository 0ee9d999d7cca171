"""What a table's content adds up to: counts, and one 128-bit sum of hashes per key bucket.

A sum does not ask for order, and sums of parts add up to that of the table. Unlike XOR it sees an item that is
there twice. A part's result carries the part's name, so one that was worked on twice is counted once.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from operator import add
from typing import Any, NamedTuple

from xxhash import xxh3_128_digest, xxh3_128_intdigest

from selfright.domain.errors import BadInputError, ConflictError

WIDTH = 16  # bytes of a hash and of a sum
MODULUS = 1 << (8 * WIDTH)


class Hashing(NamedTuple):
    """How a line or an item becomes a number below 2^128. `name` goes with every result: unlike never adds up."""

    name: str
    hash: Callable[[bytes], int]


XXH3 = Hashing("xxh3-128", xxh3_128_intdigest)


def keyed(secret: bytes) -> Hashing:
    """Hashing that nobody can forge without the secret of 16 to 64 bytes: BLAKE2b in its keyed mode (RFC 7693).

    Sums of such hashes are as secret as the key: show people `seal` instead. Raises BadInputError.
    """
    if not 16 <= len(secret) <= 64:  # noqa: PLR2004 - 128 bits of security; BLAKE2b takes at most 64 bytes
        raise BadInputError("secret", "must have 16 to 64 bytes")

    def hash_of(data: bytes) -> int:
        return int.from_bytes(blake2b(data, key=secret, digest_size=WIDTH).digest(), "little")

    known_by = blake2b(key=secret, digest_size=8, person=b"selfright key id").hexdigest()
    return Hashing(f"blake2b-128 key {known_by}", hash_of)


class Fault(StrEnum):
    """What can be wrong with an export."""

    MANIFEST_MISSING = "manifest_missing"  # it never finished, or was not copied whole
    MANIFEST_MALFORMED = "manifest_malformed"
    EXPORT_CUT_SHORT = "export_cut_short"  # the files listed have not as many items as the export
    UNSUPPORTED_FORMAT = "unsupported_format"  # not a full export in DynamoDB JSON
    BAD_MD5 = "bad_md5"  # a file is not the one that was exported
    MISSING_PART = "missing_part"
    UNLISTED_PART = "unlisted_part"  # a file is there that the manifest does not name
    COUNT_MISMATCH = "count_mismatch"  # a file has not as many items as the manifest says
    TRUNCATED_GZIP = "truncated_gzip"
    CORRUPT_GZIP = "corrupt_gzip"
    MALFORMED_LINE = "malformed_line"  # a line is no item
    CHANGED_WHILE_READ = "changed_while_read"


@dataclass(frozen=True)
class Problem:
    """Why an export cannot be trusted: what, in which file, and the rest of a sentence about that file."""

    kind: Fault
    where: str
    what: str

    @classmethod
    def parse(cls, document: Sequence[str]) -> Problem:
        """From its three fields."""
        kind, where, what = document
        return cls(Fault(kind), where, what)


@dataclass(frozen=True)
class PartDigest:
    """What one part of an export adds up to. `sums` has one entry per bucket, or one in all without a key."""

    part: str
    hashing: str
    items: int
    sums: Sequence[int]
    md5: str  # of the gzip bytes, base64, as in manifest-files.json
    problems: tuple[Problem, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON, about 88 KB with key buckets: keep it in S3, not in a state machine's payload."""
        problems = [[problem.kind, problem.where, problem.what] for problem in self.problems]
        return {**vars(self), "sums": b64encode(packed(self.sums)).decode(), "problems": problems}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> PartDigest:
        """The digest that `document` was made from."""
        sums = b64decode(document["sums"])
        totals = [int.from_bytes(sums[at : at + WIDTH], "little") for at in range(0, len(sums), WIDTH)]
        problems = tuple(Problem.parse(problem) for problem in document["problems"])
        return cls(**{**document, "sums": totals, "problems": problems})


@dataclass(frozen=True)
class TableDigest:
    """What a whole export adds up to."""

    hashing: str
    items: int
    sums: Sequence[int]

    def differing(self, other: TableDigest) -> frozenset[int]:
        """Buckets whose sums differ. Raises ConflictError where the two were not computed alike."""
        if self.hashing != other.hashing or len(self.sums) != len(other.sums):
            raise ConflictError(f"digests by {self.hashing} and by {other.hashing} say nothing of each other")
        pairs = zip(self.sums, other.sums, strict=True)
        buckets = frozenset(bucket for bucket, (one, two) in enumerate(pairs) if one != two)
        if not buckets and self.items != other.items:  # sums that collide: never take that for equal
            return frozenset(range(len(self.sums)))
        return buckets

    def seal(self, secret: bytes) -> str:
        """A MAC of this digest, in hex: equal for equal content, and it gives the sums away to nobody."""
        content = f"{self.hashing} {self.items} ".encode() + packed(self.sums)
        return blake2b(content, key=secret, digest_size=32, person=b"selfright seal").hexdigest()


def merged(digests: Iterable[PartDigest], parts: Collection[str], hashing: str, buckets: int) -> TableDigest:
    """Add the digests of `parts` up, each once however often it is handed in; zero parts are an empty table.

    Raises ConflictError where a part is missing, unknown, computed in another way than by `hashing` into so many
    `buckets`, or was digested twice with different results.
    """
    known: dict[str, bytes] = {}  # not the digests themselves: a terabyte has many parts
    sums, items = [0] * buckets, 0
    for digest in digests:
        if digest.part not in parts:
            raise ConflictError(f"{digest.part} is no part of this export")
        if (digest.hashing, len(digest.sums)) != (hashing, buckets):
            raise ConflictError(
                f"{digest.part} was digested in another way than by {hashing} into {buckets} buckets"
            )
        result = xxh3_128_digest(
            f"{digest.items} {digest.md5} {digest.problems}".encode() + packed(digest.sums)
        )
        if digest.part not in known:
            known[digest.part] = result
            sums = list(map(add, sums, digest.sums))
            items += digest.items
        elif known[digest.part] != result:
            raise ConflictError(f"{digest.part} was digested twice, with different results")
    if missing := set(parts) - known.keys():
        raise ConflictError(f"{len(missing)} of {len(parts)} parts have no digest, {min(missing)} among them")
    return TableDigest(hashing, items, [total % MODULUS for total in sums])


def packed(sums: Sequence[int]) -> bytes:
    """Sums as bytes, each in 16, the least significant first."""
    return b"".join(total.to_bytes(WIDTH, "little") for total in sums)
