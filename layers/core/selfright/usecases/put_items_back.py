"""Put back in a live table the items that differ, one by one and only where they are as they were seen."""

from __future__ import annotations

from selfright.domain.errors import ConflictError, RefusedError
from selfright.domain.recovery.items import fingerprint
from selfright.domain.recovery.record import Act, Finding, Recovery
from selfright.domain.recovery.request import Loss
from selfright.domain.recovery.steps import RecoverWord
from selfright.restoring_ports import LiveItems
from selfright.usecases.recovery_desk import Desk

NAMED = 8


def put_items_back(recovery_id: str, *, desk: Desk, items: LiveItems) -> RecoverWord:
    """The table holds these items as the restored copy does afterwards, or it is said which ones it does not.

    An item that somebody has written since it was compared is left alone. A repetition finds what it has put back
    and goes on. Raises NotFoundError where there is no such recovery, SourceDownError.
    """
    recovery = desk.open(recovery_id)
    step, source, copy = recovery.step, recovery.source, recovery.copy_name
    if step is None or step.act.room != "items" or source is None or copy is None:
        return desk.word(recovery)
    if against := desk.against(recovery):
        return desk.stop(recovery, against)
    if step.act is Act.CHECK_ITEMS:
        return _check(recovery, source, copy, desk, items)
    left = [why for each in recovery.findings if (why := _put_back(each, source, copy, items))]
    if left:
        return desk.stop(recovery, (f"{len(left)} of {len(recovery.findings)} not put back: {_few(left)}",))
    return desk.done(recovery, Act.PUT_BACK_ITEMS, f"{len(recovery.findings)} items put back")


def _put_back(finding: Finding, source: str, copy: str, items: LiveItems) -> str | None:
    """Why it was left alone; None where it is as it was."""
    now, then = items.read(source, finding.key), items.read(copy, finding.key)
    if fingerprint(now) == fingerprint(then):
        return None
    if fingerprint(now) != finding.seen:
        return f"{finding.name} was written to meanwhile"
    if (then is None) != (finding.loss is Loss.ADDED):
        return f"{finding.name} is not in the copy any more"
    try:
        if then is not None:
            items.put(source, finding.key, then, now)
        elif now is not None:
            items.remove(source, finding.key, now)
    except ConflictError:
        return f"{finding.name} was written to meanwhile"
    except RefusedError as refused:
        return f"{finding.name}: {refused}"
    return None


def _check(recovery: Recovery, source: str, copy: str, desk: Desk, items: LiveItems) -> RecoverWord:
    wrong = [
        each.name
        for each in recovery.findings
        if fingerprint(items.read(source, each.key)) != fingerprint(items.read(copy, each.key))
    ]
    if wrong:
        return desk.stop(recovery, (f"not as they were: {_few(wrong)}",))
    return desk.done(recovery, Act.CHECK_ITEMS, f"all {len(recovery.findings)} are as they were")


def _few(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
