"""What restore tests need from the world, as Protocols; see ports.py.

Every method may raise SourceDownError (ThrottledError, BusyError); others are named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from selfright.domain.backup.history import Measured
    from selfright.domain.backup.restore_job import RestoreJob, Validation
    from selfright.domain.backup.restore_test import ExportedTable, RecoveryWindow, RestoreTest
    from selfright.domain.backup.settings import TableSettings
    from selfright.domain.backup.steps import StoredList, VerifyBackupInput

Item = Mapping[str, Mapping[str, Any]]  # DynamoDB JSON


class TableBackups(Protocol):
    """Recovery points of tables, and the isolated copies that are made of them. Changes nothing but copies."""

    def window(self, table: str) -> RecoveryWindow | None:
        """What can be restored; None where point-in-time recovery is off.

        Raises NotFoundError.
        """

    def restore(self, table: str, copy: str, point: datetime) -> None:
        """Begin to restore `table` as of `point` under the name `copy`; nothing where that is under way or done.

        Raises NotFoundError, RefusedError.
        """

    def ready(self, copy: str) -> bool:
        """Whether it can be used yet.

        Raises NotFoundError.
        """

    def mark(self, copy: str, test: str) -> None:
        """Tag it with its test, and switch point-in-time recovery on: an export needs it."""

    def keys(self, table: str) -> tuple[str, ...]:
        """The primary key as in TableSettings.

        Raises NotFoundError.
        """

    def settings(self, table: str) -> TableSettings:
        """Raises NotFoundError."""

    def put_back(self, copy: str, wanted: TableSettings) -> None:
        """Set up what a restore drops; may be repeated.

        Raises BusyError while an earlier change is under way, RefusedError.
        """

    def copies(self) -> Sequence[str]:
        """Names of all copies there are, of any test."""

    def delete(self, copy: str) -> bool:
        """Whether it is gone; else it is asked for, and takes a while."""


class TableExports(Protocol):
    """Full exports of tables into the evidence bucket."""

    def begin(self, table: str, point: datetime | None, token: str) -> ExportedTable:
        """Export `table` as of `point`, or as it is now; once for each token.

        Raises NotFoundError, RefusedError.
        """

    def done(self, export: ExportedTable) -> bool:
        """Raises RefusedError with AWS's reason where it failed."""

    def open(self, export: ExportedTable) -> StoredExport: ...

    def lose(self, export: ExportedTable, name: str) -> None:
        """Delete a file: a planted fault."""

    def touch(self, export: ExportedTable, name: str) -> None:
        """Make other bytes of the same items: a planted fault. The file is held in memory."""


class StoredExport(Protocol):
    """An export as it lies in the bucket; domain/digest compares two of them."""

    @property
    def manifest(self) -> Any: ...
    @property
    def present(self) -> Collection[str]: ...
    def read(self, part: str) -> Iterable[bytes]: ...


class CopiedItems(Protocol):
    """The items of an isolated copy, for planting faults."""

    def first(self, copy: str) -> Item | None:
        """One item; None where it is empty."""

    def put(self, copy: str, item: Item) -> None: ...

    def remove(self, copy: str, key: Item) -> None: ...


class Sentinels(Protocol):
    """The one item of ours in a table that is not ours."""

    def write(self, table: str, item: Item) -> None: ...


class RestoreJobs(Protocol):
    """AWS Backup's restore jobs."""

    def find(self, job: str) -> RestoreJob:
        """Raises NotFoundError."""

    def answer(self, job: str, status: Validation, message: str) -> None:
        """Raises NotFoundError, RefusedError."""


class RestoredItems(Protocol):
    """Items of a table that AWS Backup restored."""

    def some(self, table: str, limit: int) -> Iterable[Item]:
        """The first ones, at most `limit`. Raises NotFoundError."""


class RestoreTests(Protocol):
    """What is written down about restore tests, and the newest link of each workload's chain of evidence."""

    def find(self, test: str) -> RestoreTest | None: ...

    def save(self, test: RestoreTest) -> None: ...

    def newest_hash(self, workload: str, environment: str) -> str | None:
        """Of the newest evidence; None before the first."""

    def history(self, workload: str, environment: str, resource: str, limit: int) -> Sequence[Measured]:
        """The newest concluded tests of a table, the newest first; drills are not among them."""

    def conclude(
        self, test: RestoreTest, measured: Measured | None, previous: str | None, newest: str
    ) -> None:
        """Save the test with its verdict, put `newest` in the place of `previous`, and `measured` into the history.

        All of it or nothing. Raises ConflictError where another test's evidence came first.
        """


class Executions(Protocol):
    """Executions of `verify_backup`."""

    def start(self, name: str, asked: VerifyBackupInput) -> None:
        """Once for each name, however often it is called."""

    def running(self, execution: str) -> bool:
        """False also where it is not known any more (90 days after its end)."""


class PartResults(Protocol):
    """What the rooms of one comparison leave for each other in the bucket, as JSON; deleted with the exports."""

    def write(self, key: str, document: Any) -> StoredList:
        """In the place of what was there: a part that is read again has one result. Answers where it lies."""

    def read(self, key: str) -> Any:
        """Raises NotFoundError."""


class EvidenceBucket(Protocol):
    def write(self, key: str, text: str, content_type: str) -> None: ...
