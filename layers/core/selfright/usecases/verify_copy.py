"""Compare source and copy, items and settings, and measure what the restore took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selfright.backup_ports import RestoreTests, StoredExport, TableBackups, TableExports
from selfright.domain.backup import restore_test as checks
from selfright.domain.backup.comparison import Comparison, Difference, Kind
from selfright.domain.backup.invariants import Invariants, key_text
from selfright.domain.backup.self_test import LINES, faults_missed
from selfright.domain.backup.sentinel import written_at
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.domain.backup.verdict import CheckName
from selfright.domain.digest import compare
from selfright.domain.digest.canonical import parse_line
from selfright.domain.digest.parts import PartReader
from selfright.domain.errors import NotFoundError
from selfright.domain.manifest import TableBackup, Workload

SHOWN = 30  # differences of each kind that are named: a test is one item of the ledger, of 400 KB at most


def verify_copy(
    test_id: str,
    *,
    workloads: Mapping[str, Workload],
    backups: TableBackups,
    exports: TableExports,
    tests: RestoreTests,
) -> RestoreStepResult:
    """Make the checks that are left; what they found is on record afterwards.

    Both exports are read here, in one call: docs/backup.md says how large a table may be.
    Raises NotFoundError where the test has no exports, SourceDownError.
    """
    test = tests.find(test_id)
    if test is None or not test.source_export or not test.copy_export or test.source_settings is None:
        raise NotFoundError(f"restore test {test_id} has no exports")
    wanted = test.source_settings
    policy = workloads[test.workload].backup
    table = policy.tables.get(test.resource, TableBackup())
    key = wanted.key_names
    source, copy = exports.open(test.source_export), exports.open(test.copy_export)
    found = _compared(source, copy, key)
    watch = Invariants(table.invariants, key)
    sample: list[bytes] = []
    if not found.problems:
        for line in _lines(copy):
            item = parse_line(line)
            if witness := written_at(item, key):
                test = test.model_copy(update={"witness": witness})
            else:  # the application's rules are not about our own item
                watch.see(item)
            if len(sample) < LINES:
                sample.append(line)
    missed = faults_missed(sample, key) if sample else ()
    test = (
        test.model_copy(update={"comparison": found})
        .with_check(checks.completeness(found))
        .with_check(checks.integrity(found, missed))
        .with_check(
            checks.unknown(CheckName.INVARIANTS, "an export is not whole")
            if found.problems
            else checks.invariants(table.invariants, watch.broken())
        )
        .with_check(checks.rpo(test, policy.rpo_seconds, sentinel=table.sentinel))
        .with_check(checks.rto(test, policy.rto_seconds))
    )
    if test.set_up_at:  # else it is on record why the settings could not be put back
        test = test.with_check(checks.settings_parity(wanted, backups.settings(test.copy_name)))
    tests.save(test)
    return RestoreStepResult(next=Next.GO, test=test.id)


def _compared(source: StoredExport, copy: StoredExport, key: tuple[str, ...]) -> Comparison:
    """As the evidence tells it."""
    found = compare(source, copy, key)
    differences = [
        Difference(key=key_text(each.key, key), kind=Kind(each.kind)) for each in found.differences
    ]
    by_kind = {kind: [each for each in differences if each.kind is kind] for kind in Kind}
    return Comparison(
        source_items=found.source_items,
        copy_items=found.copy_items,
        counts={kind: len(each) for kind, each in by_kind.items() if each},
        all_located=found.all_located,
        differences=tuple(named for each in by_kind.values() for named in each[:SHOWN]),
        problems=tuple(
            f"{side}: {problem.where} {problem.what} ({problem.kind})" for side, problem in found.problems
        ),
    )


def _lines(export: StoredExport) -> Iterator[bytes]:
    """The lines of all data files, an item each."""
    for part in export.manifest.parts:
        for block in PartReader(export.read(part.name)):
            yield from block.lines
