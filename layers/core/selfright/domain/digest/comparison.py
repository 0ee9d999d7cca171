"""Compare two exports of a table, down to the keys of the items that differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Protocol

from selfright.domain.digest.keys import KeyReader
from selfright.domain.digest.outcome import Comparison
from selfright.domain.digest.progress import Effort, Progress, Side, advance, parts_of
from selfright.domain.digest.readings import PartResult, Reading, Tier, read_part, readings_for_keys
from selfright.domain.digest.sums import XXH3, Hashing

AT_ONCE = 100_000  # items whose keys are held at once while differences are located: about 50 MB
SHOWN = 1000  # differences after which looking for more is given up


class Export(Side, Protocol):
    """An export wherever it lies."""

    def read(self, part: str) -> Iterable[bytes]:
        """The gzip bytes of a part that is there, in chunks."""


def compare(  # noqa: PLR0917 - the first three say what, the others how
    source: Export,
    copy: Export,
    key: Sequence[str],
    exempt: Collection[bytes] = frozenset(),
    hashing: Hashing = XXH3,
    enter: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Say whether `copy` holds what `source` holds, by the names of the table's key attributes.

    `exempt`: canonical keys that may differ (see `changed_around`). `enter` is told each reading by name.
    Raises BadInputError where `key` is not that of a table.
    """
    keys, sides = KeyReader(key), (source, copy)
    come: Progress | Comparison = Progress()
    while isinstance(come, Progress):
        reading = come.reading
        enter(_told(come))
        results = [_read(export, reading, keys, hashing) for export in sides]
        come = advance(come, sides, results, Effort(AT_ONCE, SHOWN), hashing, exempt)
    return come


def _read(export: Export, reading: Reading, keys: KeyReader, hashing: Hashing) -> Iterator[PartResult]:
    for part in parts_of(export):
        yield read_part(reading, part, export.read(part), keys, hashing)


def _told(come: Progress) -> str:
    if come.reading.tier is not Tier.KEYS:
        return come.reading.tier.value
    readings = sum(1 for _ in readings_for_keys(come.reading.lines, come.differing, sum(come.items), AT_ONCE))
    return f"locate {come.number + 1} of {readings}"
