"""Read one part of one export, and leave what it comes to in the bucket: one object for each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from selfright.backup_ports import PartResults, RestoreTests, StoredExport, TableExports
from selfright.domain import digest
from selfright.domain.backup.invariants import watch
from selfright.domain.backup.reading import progress_key, result_key
from selfright.domain.backup.restore_test import id_of
from selfright.domain.backup.steps import PartRead, PartToRead
from selfright.domain.backup.verdict import Item
from selfright.domain.digest.canonical import parse_line
from selfright.domain.digest.parts import PartReader
from selfright.domain.errors import NotFoundError
from selfright.domain.manifest import TableBackup, Workload


def read_part(
    asked: PartToRead,
    *,
    workloads: Mapping[str, Workload],
    exports: TableExports,
    results: PartResults,
    tests: RestoreTests,
) -> PartRead:
    """The part is streamed, so memory does not grow with it. A repetition writes the same object again.

    Raises NotFoundError where the test or the part is gone, SourceDownError.
    """
    test = tests.find(id_of(asked.execution))
    if test is None or not test.source_export or not test.copy_export or test.source_settings is None:
        raise NotFoundError(f"{asked.execution} has no exports")
    key = test.source_settings.key_names
    reading = digest.Progress.parse(results.read(progress_key(test.id, asked.reading))).reading
    export = exports.open(test.source_export if asked.side == "source" else test.copy_export)
    found = digest.read_part(reading, asked.part, export.read(asked.part), digest.KeyReader(key), digest.XXH3)
    policy = workloads[test.workload].backup.tables.get(test.resource, TableBackup())
    watched = None
    # Nothing of an item need be parsed to see that source and copy are the same; an invariant has to see each.
    if reading.tier is digest.Tier.RAW and asked.side == "copy" and not found.problems:
        try:
            seen = watch(_items(export, asked.part), policy.invariants, key)
            watched = seen.model_dump(mode="json")
        except digest.MalformedLineError as error:
            problem = digest.Problem(digest.Fault.MALFORMED_LINE, asked.part, f"has a line that {error}")
            found = replace(found, problems=(problem,))
    where = result_key(test.id, asked.reading, asked.side, asked.part)
    results.write(where, {"result": found.document(), "watched": watched})
    return PartRead(part=asked.part)


def _items(export: StoredExport, part: str) -> Iterator[Item]:
    for lines in PartReader(export.read(part)):
        yield from map(parse_line, lines)
