"""Primary keys of items, and the buckets that lines and keys fall into."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from xxhash import xxh3_64_intdigest

from selfright.domain.digest.canonical import MalformedLineError, key_attributes, parse_line
from selfright.domain.errors import BadInputError

BUCKETS = 4096  # a changed item makes 2/4096 of the table be read again; 64 KiB of sums per part
HEAD, TAIL = b'{"Item":{', b"}}"  # of every line that AWS writes; lines in other dress are parsed


class KeyReader:
    """Knows the names of a table's key attributes."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names`: of the partition key and, if there is one, the sort key. Raises BadInputError."""
        if len(names) not in {1, 2} or len(set(names)) != len(names) or not all(names):
            raise BadInputError("key", "a table has one partition key and at most one sort key")
        self.names = tuple(names)

    def hash_of(self, item: dict[str, Any]) -> int:
        """A 64-bit hash of an item's key, whatever its spelling. Raises MalformedLineError."""
        # The values alone: two keys with the same bytes share a bucket, which harms nothing.
        typed = [next(iter(each.items())) for each in key_attributes(item, self.names).values()]
        return xxh3_64_intdigest(
            b"".join(b64decode(value) if kind == "B" else value.encode() for kind, value in typed)
        )

    def look_over(self, lines: Sequence[bytes]) -> None:
        """Parse the first of them, and all unless they begin and end as AWS's do.

        So another file, or another table's key, is noticed also where both sides have it. Raises MalformedLineError,
        whose `at` is the place of the line.
        """
        usual = all(map(bytes.startswith, lines, repeat(HEAD))) and all(
            map(bytes.endswith, lines, repeat(TAIL))
        )
        for place, line in enumerate(lines[:1] if usual else lines):
            try:
                key_attributes(parse_line(line), self.names)
            except MalformedLineError as error:
                error.at = place
                raise
