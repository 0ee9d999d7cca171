"""Make the checks that are left once items are compared: settings, invariants, and what the restore took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from selfright.backup_ports import RestoreTests, StoredExport, TableBackups, TableExports
from selfright.domain.backup import restore_test as checks
from selfright.domain.backup.invariants import broken_rules
from selfright.domain.backup.self_test import LINES, faults_missed
from selfright.domain.backup.steps import Next, RestoreStepResult
from selfright.domain.backup.verdict import CheckName
from selfright.domain.digest.parts import PartReader
from selfright.domain.errors import NotFoundError
from selfright.domain.manifest import TableBackup, Workload


def verify_copy(
    test_id: str,
    *,
    workloads: Mapping[str, Workload],
    backups: TableBackups,
    exports: TableExports,
    tests: RestoreTests,
) -> RestoreStepResult:
    """What the checks found is on record afterwards. What was not compared stays as it was left: not known.

    Raises NotFoundError where the test has no exports, SourceDownError.
    """
    test = tests.find(test_id)
    if test is None or not test.copy_export or test.source_settings is None:
        raise NotFoundError(f"restore test {test_id} has no exports")
    policy = workloads[test.workload].backup
    table = policy.tables.get(test.resource, TableBackup())
    wanted, found = test.source_settings, test.comparison
    if found:
        sample = [] if found.problems else list(islice(_lines(exports.open(test.copy_export)), LINES))
        missed = faults_missed(sample, wanted.key_names) if sample else ()
        test = test.with_check(checks.completeness(found)).with_check(checks.integrity(found, missed))
        if found.problems or test.watched is None:
            test = test.with_check(checks.unknown(CheckName.INVARIANTS, "an export is not whole"))
        else:
            broken = broken_rules(table.invariants, test.watched)
            test = test.with_check(checks.invariants(table.invariants, broken))
    test = test.with_check(checks.rpo(test, policy.rpo_seconds, sentinel=table.sentinel))
    test = test.with_check(checks.rto(test, policy.rto_seconds))
    if test.set_up_at:  # else it is on record why the settings could not be put back
        here = backups.settings(test.copy_name)
        test = test.with_check(checks.settings_parity(wanted, here))
    tests.save(test)
    return RestoreStepResult(next=Next.GO, test=test.id)


def _lines(export: StoredExport) -> Iterator[bytes]:
    """The lines of all data files, an item each."""
    for part in export.manifest.parts:
        for lines in PartReader(export.read(part.name)):
            yield from lines
