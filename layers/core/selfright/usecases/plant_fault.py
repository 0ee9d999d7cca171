"""Put one fault into an isolated copy, for a drill: a restore test that does not find it proves nothing."""

from __future__ import annotations

from collections.abc import Sequence

from selfright.backup_ports import CopiedItems, Item, TableBackups, TableExports
from selfright.domain.backup.invariants import key_text
from selfright.domain.backup.restore_test import Plant, RestoreTest
from selfright.domain.errors import RefusedError

MARK = "selfright_planted"
TAG = "selfright-planted"
SUMMARY = "manifest-summary.json"  # an export writes it last


def plant_in_items(test: RestoreTest, key: Sequence[str], items: CopiedItems) -> str:
    """Drop, alter or duplicate one item of the copy; answers its key as people read it.

    Raises RefusedError where the copy has none.
    """
    item = items.first(test.copy_name)
    if item is None:
        raise RefusedError(f"{test.copy_name} is empty: there is no item to put a fault into")
    match test.plant:
        case Plant.DROP:
            items.remove(test.copy_name, {name: item[name] for name in key})
        case Plant.ALTER:
            items.put(test.copy_name, {**item, MARK: {"S": test.id}})
        case _:  # a table has each key once: the same item again has to have another
            item = {**item, key[-1]: _another(item[key[-1]])}
            items.put(test.copy_name, item)
    return key_text(item, key)


def plant_in_settings(test: RestoreTest, backups: TableBackups) -> str:
    """Give the copy a tag that the source has not; answers the setting's name."""
    known = backups.settings(test.copy_name)
    backups.put_back(test.copy_name, known.model_copy(update={"tags": {**known.tags, TAG: test.id}}))
    return "tags"


def plant_in_export(test: RestoreTest, exports: TableExports) -> str:
    """Lose or change one file of the copy's export; answers its name. Raises RefusedError where there is none."""
    if test.copy_export is None:
        raise RefusedError("there is no export to put a fault into")
    if test.plant is Plant.SHORT_EXPORT:
        exports.lose(test.copy_export, SUMMARY)
        return SUMMARY
    parts = [part for part in exports.open(test.copy_export).manifest.parts if part.items]
    if not parts:
        raise RefusedError("an export without items has no file to put a fault into")
    smallest = str(min(parts, key=lambda part: part.items).name)
    if test.plant is Plant.MISSING_PART:
        exports.lose(test.copy_export, f"data/{smallest}")
    else:
        exports.touch(test.copy_export, f"data/{smallest}")
    return smallest


def _another(value: Item | dict[str, str]) -> dict[str, str]:
    """A key's value that no item is likely to have, of the same type."""
    ((kind, content),) = value.items()
    return {kind: f"{content}1" if kind == "N" else f"{content}{'QQ==' if kind == 'B' else '-planted'}"}
