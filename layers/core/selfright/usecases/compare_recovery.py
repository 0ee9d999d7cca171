"""Compare a restored table with its source: it must be the same, or, in place, the differences are what is put back."""

from __future__ import annotations

from selfright.backup_ports import TableExports
from selfright.domain.backup.invariants import key_text
from selfright.domain.backup.sentinel import KEY
from selfright.domain.digest import Comparison, Difference, Kind, Verdict, compare
from selfright.domain.errors import NotFoundError
from selfright.domain.recovery.items import fingerprint
from selfright.domain.recovery.record import Act, Finding, Recovery
from selfright.domain.recovery.request import MOST_ITEMS, Loss, Mode
from selfright.domain.recovery.steps import RecoverWord
from selfright.restoring_ports import LiveItems
from selfright.usecases.recovery_desk import Desk

# What an item that is in the source now, and not in the copy, has been since: and so on.
LOSSES = {Kind.EXTRA: Loss.DELETED, Kind.CHANGED: Loss.CHANGED, Kind.MISSING: Loss.ADDED}
NAMED = 8


def compare_recovery(recovery_id: str, *, desk: Desk, exports: TableExports, items: LiveItems) -> RecoverWord:
    """Say by key what differs. Reads only.

    Raises NotFoundError where the recovery has no exports, SourceDownError.
    """
    recovery = desk.open(recovery_id)
    if recovery.step is None or recovery.step.act is not Act.COMPARE:
        return desk.word(recovery)
    if not recovery.source_export or not recovery.copy_export or recovery.source_settings is None:
        raise NotFoundError(f"recovery {recovery_id} has no exports")
    key = recovery.source_settings.key_names
    found = compare(exports.open(recovery.source_export), exports.open(recovery.copy_export), key)
    if found.problems:
        told = "; ".join(f"{side}: {problem.where} {problem.what}" for side, problem in found.problems)
        return desk.stop(recovery, (f"an export is not whole, nothing was compared: {told}",))
    if recovery.asked.mode is Mode.NEW:
        return _must_be_equal(recovery, found, key, desk)
    return _to_put_back(recovery, found, key, desk, items)


def _must_be_equal(recovery: Recovery, found: Comparison, key: tuple[str, ...], desk: Desk) -> RecoverWord:
    if found.verdict is Verdict.DIFFERENT:
        named = ", ".join(f"{one.kind} {key_text(one.key, key)}" for one in found.differences[:NAMED])
        return desk.stop(recovery, (f"{recovery.copy_name} is not what {recovery.source} was: {named}",))
    return desk.done(recovery, Act.COMPARE, f"{found.copy_items} items, each as it was")


def _to_put_back(
    recovery: Recovery, found: Comparison, key: tuple[str, ...], desk: Desk, items: LiveItems
) -> RecoverWord:
    wanted = [
        one for one in found.differences if LOSSES[one.kind] in recovery.asked.undo and not _ours(one, key)
    ]
    if not found.all_located or len(wanted) > MOST_ITEMS:
        many = f"more than {MOST_ITEMS} items differ: restore to a new table and repoint"
        return desk.stop(recovery, (many,))
    source = recovery.source or ""
    findings = tuple(
        Finding(
            name=key_text(one.key, key),
            loss=LOSSES[one.kind],
            key=one.key,
            seen=fingerprint(items.read(source, one.key)),
        )
        for one in wanted
    )
    told = f"{len(findings)} of {found.source_items} items are not as they were"
    now = desk.clock.now()
    return desk.save(recovery.done(Act.COMPARE, now, told, findings=findings, looked_at=now))


def _ours(one: Difference, key: tuple[str, ...]) -> bool:
    """The sentinel is written every minute: it always differs, and nobody lost it."""
    return bool(one.key[key[0]] == {"S": KEY})
