"""Make use of what the parts came to: have them read once more and more closely, or say what the comparison came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfright.backup_ports import PartResults, RestoreTests, TableExports
from selfright.domain import digest
from selfright.domain.backup.comparison import Comparison, Difference, Kind
from selfright.domain.backup.invariants import Watched, key_text
from selfright.domain.backup.reading import list_key, progress_key, result_key
from selfright.domain.backup.restore_test import RestoreTest, unknown
from selfright.domain.backup.steps import Next, PartToRead, RestoreStepResult, StoredList
from selfright.domain.backup.verdict import CheckName
from selfright.domain.errors import ConflictError, NotFoundError

SIDES = ("source", "copy")
SHOWN = 30  # differences of each kind that are named: a test is one item of the ledger, of 400 KB at most
# The keys of 400,000 items, as JSON and struck into a balance, take half a gigabyte of this room's 1.7; one bucket of
# 4,096 holds so many where source and copy have 800 million items each. A reading costs what the first did: after
# eight the evidence says that not all were looked at.
EFFORT = digest.Effort(at_once=400_000, shown=1000, readings=8)


def compare_copy(
    test_id: str, read: int, *, exports: TableExports, results: PartResults, tests: RestoreTests
) -> RestoreStepResult:
    """`read`: the number of the reading that was made just now, 0 before the first. A repetition comes to the same.

    A part without a result leaves completeness and integrity unknown. Raises NotFoundError where the test has no
    exports, SourceDownError.
    """
    test = tests.find(test_id)
    if test is None or not test.source_export or not test.copy_export or test.source_settings is None:
        raise NotFoundError(f"restore test {test_id} has no exports")
    key = test.source_settings.key_names
    sides = (exports.open(test.source_export), exports.open(test.copy_export))
    parts = [digest.parts_of(side) for side in sides]
    watched: list[Watched] = []
    come: digest.Progress | digest.Comparison = digest.Progress()
    try:
        if read:
            come = digest.Progress.parse(results.read(progress_key(test.id, read)))
            found = [
                _results(results, [result_key(test.id, read, side, name) for name in names], watched)
                for side, names in zip(SIDES, parts, strict=True)
            ]
            come = digest.advance(come, sides, found, EFFORT)
        while isinstance(come, digest.Progress) and not any(parts):
            come = digest.advance(come, sides, ((), ()), EFFORT)
    except (NotFoundError, ConflictError) as missing:
        told = f"the results of the parts are not whole: {missing}"
        for name in (CheckName.COMPLETE, CheckName.INTEGRITY, CheckName.INVARIANTS):
            test = test.with_check(unknown(name, told))
        tests.save(test)
        return RestoreStepResult(next=Next.GO, test=test.id)
    if read == 1 or not any(parts):
        test = test.model_copy(update={"watched": sum(watched, start=Watched())})
    if isinstance(come, digest.Progress):
        where = _list(test, read + 1, come, parts, results)
        tests.save(test)
        return RestoreStepResult(next=Next.READ, test=test.id, reading=read + 1, parts=where)
    tests.save(test.model_copy(update={"comparison": _told(come, key)}))
    return RestoreStepResult(next=Next.GO, test=test.id)


def _results(
    results: PartResults, keys: Sequence[str], watched: list[Watched]
) -> Iterator[digest.PartResult]:
    """One at a time: with 4,096 sums each they would fill the memory of a room."""
    for key in keys:
        document = results.read(key)
        if document["watched"] is not None:
            watched.append(Watched.model_validate(document["watched"]))
        yield digest.result_of(document["result"])


def _list(
    test: RestoreTest,
    reading: int,
    come: digest.Progress,
    parts: Sequence[Sequence[str]],
    results: PartResults,
) -> StoredList:
    results.write(progress_key(test.id, reading), come.document())
    items = [
        PartToRead.model_validate(
            {"execution": test.execution, "reading": reading, "side": side, "part": part}
        ).model_dump(mode="json")
        for side, names in zip(SIDES, parts, strict=True)
        for part in names
    ]
    return results.write(list_key(test.id, reading), items)


def _told(found: digest.Comparison, key: Sequence[str]) -> Comparison:
    """As the evidence tells it."""
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
