"""Which keys changed around T, from an incremental export: two copies of that moment may differ in them.

Source: "DynamoDB table export output format", data objects of an incremental export.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from selfright.domain.digest.canonical import MalformedLineError, canonical_key, canonical_number, parse_line
from selfright.domain.digest.parts import PartReader

AROUND = timedelta(seconds=60)  # how far a restore's and an export's idea of T may lie apart


def changed_around(
    chunks: Iterable[bytes], names: Sequence[str], at: datetime, within: timedelta = AROUND
) -> frozenset[bytes]:
    """The canonical keys of items whose last write in this part of an incremental export lies around `at`.

    An incremental export holds one record per item, the last write before its end: let it end at T + `within`.
    Raises MalformedLineError, DamagedPartError.
    """
    first, last = (int((at + side * within).timestamp() * 1_000_000) for side in (-1, 1))
    changed = set()
    for lines in PartReader(chunks):
        for line in lines:
            written = parse_line(line, "Metadata").get("WriteTimestampMicros", {}).get("N")
            micros = canonical_number(written)
            if not micros.isdigit():
                raise MalformedLineError(f"{written} is no time in microseconds")
            if first <= int(micros) <= last:
                changed.add(canonical_key(parse_line(line, "Keys"), names))
    return frozenset(changed)
