"""One restore test: what is written down about it while it runs, and how each check follows from that."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from selfright.domain.backup.comparison import Comparison, Kind
from selfright.domain.backup.invariants import Watched
from selfright.domain.backup.settings import TableSettings, differing, unproven
from selfright.domain.backup.verdict import FROZEN, BackupCheck, CheckName, Verdict
from selfright.domain.manifest import Invariant

# Every copy's name begins so, and no role may restore to, change or delete a table of another name (template.yaml).
ISOLATED = "selfright-restore-"
NAMED = 8  # keys or settings that a check's reason names


class Plant(StrEnum):
    """A fault put into the copy on purpose: a test that does not find it proves nothing."""

    DROP = "drop"
    ALTER = "alter"
    DUPLICATE = "duplicate"
    SETTING = "setting"
    SHORT_EXPORT = "short-export"  # it never got to its end
    MISSING_PART = "missing-part"  # a data file is not there
    BAD_MD5 = "bad-md5"  # a data file is not the one that was exported


class RecoveryWindow(BaseModel):
    """Between which moments a table can be restored, with the recovery period in days."""

    model_config = FROZEN

    earliest: datetime
    latest: datetime
    days: int


class ExportedTable(BaseModel):
    """A full export: its ARN, and the folder of the bucket that it lies in."""

    model_config = FROZEN

    arn: str
    folder: str


class RestoreTest(BaseModel):
    """What is known of a test. A step that is repeated finds here what it did before."""

    model_config = FROZEN

    id: str
    execution: str
    workload: str
    environment: str
    resource: str  # logical name
    table: str
    copy_name: str
    plant: Plant | None = None
    began_at: datetime
    point: datetime | None = None  # what was restored is the table as of this moment
    source_settings: TableSettings | None = None  # a restore takes those of the moment when it is asked for
    restored_at: datetime | None = None  # when the copy was seen ACTIVE
    planted: str | None = None  # key or setting of the fault that was put in
    source_export: ExportedTable | None = None
    copy_export: ExportedTable | None = None
    exported_at: datetime | None = None
    settings_began_at: datetime | None = None
    set_up_at: datetime | None = None
    checks: tuple[BackupCheck, ...] = ()
    comparison: Comparison | None = None
    watched: Watched | None = None  # what the copy's items say of the invariants, and of the sentinel
    verdict: Verdict | None = None
    evidence: str | None = None  # key in the evidence bucket
    failure: str | None = None
    cleaned_at: datetime | None = None

    def with_check(self, check: BackupCheck, **changes: Any) -> RestoreTest:
        """The test with one more check made; one made before is made anew."""
        others = tuple(made for made in self.checks if made.name is not check.name)
        return self.model_copy(update={**changes, "checks": (*others, check)})

    @property
    def rto_seconds(self) -> float | None:
        """How long it took until the copy could have been used: restored, and set up like the source.

        Comparing is not part of it: it would not stand between people and their table.
        """
        if self.restored_at is None or self.settings_began_at is None or self.set_up_at is None:
            return None
        return (self.restored_at - self.began_at + self.set_up_at - self.settings_began_at).total_seconds()

    @property
    def witness(self) -> datetime | None:
        """When the sentinel that the copy holds was written."""
        return self.watched.witness if self.watched else None

    @property
    def as_hoped(self) -> bool:
        """A backup that is good, or a planted fault that was found."""
        return self.failure is None and self.verdict is (Verdict.FAIL if self.plant else Verdict.PASS)

    @property
    def rpo_seconds(self) -> float | None:
        """What would have been lost, had the table gone when the test began.

        By the sentinel where there is one, else by the recovery point, which is AWS's own word.
        """
        newest = self.witness or self.point
        return (self.began_at - newest).total_seconds() if newest else None


def id_of(execution: str) -> str:
    """The same for every repetition within an execution, and fit for a table's name."""
    return f"rt-{hashlib.sha256(execution.encode()).hexdigest()[:12]}"


def copy_name(test: str, table: str) -> str:
    """An isolated table's name. DynamoDB allows 255 characters."""
    return f"{ISOLATED}{test}-{table}"[:255]


def made_by(copy: str) -> str | None:
    """The test that a table was made by; None where it is none of ours."""
    found = re.match(rf"{ISOLATED}(rt-[0-9a-f]{{12}})-", copy)
    return found[1] if found else None


# -- each check


def passed(name: CheckName, reason: str) -> BackupCheck:
    return BackupCheck(name=name, verdict=Verdict.PASS, reason=reason)


def failed(name: CheckName, reason: str, names: Sequence[str] = ()) -> BackupCheck:
    return BackupCheck(name=name, verdict=Verdict.FAIL, reason=reason, names=tuple(names))


def unknown(name: CheckName, reason: str, names: Sequence[str] = ()) -> BackupCheck:
    return BackupCheck(name=name, verdict=Verdict.INCONCLUSIVE, reason=reason, names=tuple(names))


def completeness(found: Comparison) -> BackupCheck:
    """Every item of the source is in the copy, and none besides."""
    if found.problems:
        return failed(CheckName.COMPLETE, f"an export is not whole: {'; '.join(found.problems)}")
    absent = [d for d in found.differences if d.kind is not Kind.CHANGED]
    lost, added = found.counts.get(Kind.MISSING, 0), found.counts.get(Kind.EXTRA, 0)
    if lost or added or found.source_items != found.copy_items:
        counted = f"{found.source_items} items in the source, {found.copy_items} in the copy"
        named = _few([f"{d.kind} {d.key}" for d in absent], lost + added)
        return failed(CheckName.COMPLETE, f"{counted}; {named}", [d.key for d in absent])
    if not found.all_located:
        return unknown(CheckName.COMPLETE, "more items differ than were looked at one by one")
    if found.source_items == 0:
        return passed(CheckName.COMPLETE, "source and copy are empty, and their exports are whole")
    return passed(CheckName.COMPLETE, f"all {found.source_items} items, and none besides")


def integrity(found: Comparison, missed: Sequence[str]) -> BackupCheck:
    """What is in both is the same in both. `missed`: faults that the comparison did not find when it was tried."""
    if found.problems:
        return unknown(CheckName.INTEGRITY, "an export is not whole, so nothing was compared")
    if count := found.counts.get(Kind.CHANGED, 0):
        changed = [d.key for d in found.differences if d.kind is Kind.CHANGED]
        return failed(CheckName.INTEGRITY, f"changed: {_few(changed, count)}", changed)
    if missed:
        return unknown(CheckName.INTEGRITY, f"the comparison does not find planted faults: {_few(missed)}")
    if not found.all_located:
        return unknown(CheckName.INTEGRITY, "more items differ than were looked at one by one")
    if found.copy_items == 0:
        return passed(CheckName.INTEGRITY, "there is no item that could have changed")
    return passed(CheckName.INTEGRITY, "each item in both is the same in both; planted faults were found")


def settings_parity(source: TableSettings, copy: TableSettings) -> BackupCheck:
    if differences := differing(source, copy):
        told = [f"{name} is {ours!r}, not {theirs!r}" for name, (theirs, ours) in differences.items()]
        return failed(CheckName.SETTINGS, _few(told), tuple(differences))
    if missing := unproven(source):
        told = [f"{name}: {why}" for name, why in missing.items()]
        return unknown(CheckName.SETTINGS, "; ".join(told), tuple(missing))
    return passed(CheckName.SETTINGS, "the copy is set up like the source")


def invariants(rules: Sequence[Invariant], broken: Iterable[tuple[Invariant, str]]) -> BackupCheck:
    if not rules:
        return unknown(CheckName.INVARIANTS, "the manifest has no invariant for this table")
    found = list(broken)
    if found:
        told = [f"{rule.name}: {why}" for rule, why in found]
        return failed(CheckName.INVARIANTS, _few(told), [rule.name for rule, _ in found])
    return passed(CheckName.INVARIANTS, f"all {len(rules)} hold")


def rpo(test: RestoreTest, allowed: float, *, sentinel: bool) -> BackupCheck:
    """`sentinel`: the manifest wants one, so a copy without it has lost what it was to witness."""
    if sentinel and test.witness is None:
        return failed(CheckName.RPO, "the copy holds no sentinel: nobody writes it, or it was lost")
    by = "by the sentinel" if sentinel else "by the age of the recovery point"
    return _within(CheckName.RPO, test.rpo_seconds, allowed, f"would have been lost {by}")


def rto(test: RestoreTest, allowed: float) -> BackupCheck:
    return _within(CheckName.RTO, test.rto_seconds, allowed, "until the table was back")


def _within(name: CheckName, seconds: float | None, allowed: float, what: str) -> BackupCheck:
    if seconds is None:
        return unknown(name, "it could not be measured")
    said = f"{seconds:.0f} s {what}, {allowed:.0f} s are allowed"
    return passed(name, said) if 0 <= seconds <= allowed else failed(name, said)


def _few(names: Sequence[str], count: int | None = None) -> str:
    """Some of the names; `count`: how many there are, where not all are given."""
    more = (len(names) if count is None else count) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
