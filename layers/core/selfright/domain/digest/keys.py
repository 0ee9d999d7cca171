r"""Which key bucket a line belongs to, without parsing it where that is safe.

The quick way looks for the one place in a line that names the key attribute. It is taken only where a whole
block of lines rules out every way to be fooled; else each line is parsed. Both ways give the same answer.

Why the quick way is safe: a quote that no backslash precedes opens or closes a JSON string. So `"pk"` whose
first quote is not escaped is a whole string, `"pk":` is a name, and without `\u` no name hides behind another
spelling. An item always has its key attributes at the top: if a line has one such name, it is that one.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from itertools import repeat
from operator import add, contains
from typing import Any

from xxhash import xxh3_64_intdigest

from selfright.domain.digest.canonical import (
    MalformedLineError,
    canonical_number,
    key_attributes,
    parse_line,
)
from selfright.domain.errors import BadInputError

BUCKETS = 4096  # a changed item makes 1/4096 of the table be read again; 64 KiB of sums per part
HEAD, TAIL = b'{"Item":{', b"}}"  # of every line that AWS writes; lines in other dress are parsed
PLAIN_NAME = re.compile(r"[ !#-.0-\[\]-~]+")  # ASCII that JSON has no second spelling for but \u: no " / or \


class KeyReader:
    """Reads primary keys from lines. It learns the key's types from the first line it parses."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names`: of the partition key and, if there is one, the sort key. Raises BadInputError."""
        if len(names) not in {1, 2} or len(set(names)) != len(names) or not all(names):
            raise BadInputError("key", "a table has one partition key and at most one sort key")
        self.names = tuple(names)
        self._tokens = [f'"{name}"'.encode() for name in names]
        self._kinds: tuple[str, ...] = ()
        self._openings: list[bytes] = []

    def hashes(self, block: bytes, lines: Sequence[bytes]) -> list[int]:
        """A 64-bit hash of each line's key. `block` holds these lines, each ended by a newline.

        Raises MalformedLineError, whose `at` is the place of the line.
        """
        if not self._kinds:
            self._parsed(lines[0], 0)
        keys = self._quick(block, lines)
        if keys is None:
            keys = [self._parsed(line, place) for place, line in enumerate(lines)]
        return list(map(xxh3_64_intdigest, keys))

    def hash_of(self, item: dict[str, Any]) -> int:
        """The same hash from a parsed item. Raises MalformedLineError."""
        return xxh3_64_intdigest(self._bytes(key_attributes(item, self.names)))

    def _quick(self, block: bytes, lines: Sequence[bytes]) -> list[bytes] | None:
        """The keys' bytes, or None where a line might fool us."""
        escapes = b"\\" in block  # a search for one byte costs a thirtieth of a search for two
        if not self._kinds or (escapes and any(map(bytes.startswith, block.split(b"\\"), repeat(b"u")))):
            return None
        if not (
            all(map(bytes.startswith, lines, repeat(HEAD))) and all(map(bytes.endswith, lines, repeat(TAIL)))
        ):
            return None
        columns = []
        for token, opening, kind in zip(self._tokens, self._openings, self._kinds, strict=True):
            if escapes and b"\\" + token in block:
                return None
            after = block.split(token)[1:]
            # As many names as lines, and the end of a line after each before the next: one name in each line.
            if len(after) != len(lines) or not all(map(contains, after, repeat(b"\n"))):
                return None
            if not all(map(bytes.startswith, after, repeat(opening))):
                return None
            skip = len(opening)
            try:
                column = [rest[skip : rest.index(b'"', skip)] for rest in after]
                if escapes and b"\\" in b"".join(column):
                    return None
                columns.append(column if kind == "S" else [_spelled(kind, value) for value in column])
            except ValueError:
                return None
        return columns[0] if len(columns) == 1 else list(map(add, *columns))

    def _parsed(self, line: bytes, place: int) -> bytes:
        try:
            attributes = key_attributes(parse_line(line), self.names)
        except MalformedLineError as error:
            error.at = place
            raise
        return self._bytes(attributes)

    def _bytes(self, attributes: dict[str, dict[str, str]]) -> bytes:
        """What is hashed: the values alone. Two keys with the same bytes share a bucket, which harms nothing."""
        kinds = tuple(next(iter(typed)) for typed in attributes.values())
        if not self._kinds and all(map(PLAIN_NAME.fullmatch, self.names)):
            self._kinds = kinds
            self._openings = [f':{{"{kind}":"'.encode() for kind in kinds]
        values = (next(iter(typed.values())) for typed in attributes.values())
        return b"".join(
            b64decode(value) if kind == "B" else value.encode()
            for kind, value in zip(kinds, values, strict=True)
        )


def _spelled(kind: str, value: bytes) -> bytes:
    if kind == "B":
        return b64decode(value, validate=True)
    if value.isdigit() and value[0] != ord("0") and len(value) <= 38:  # noqa: PLR2004 - DynamoDB's precision
        return value
    return canonical_number(value.decode()).encode()
