"""What back_up needs from the world, as Protocols; see ports.py.

Every method may raise SourceDownError (ThrottledError, BusyError); others are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from selfright.domain.backup.catalogue import Changes, Place, RecoveryPoint, Tier
    from selfright.domain.backup.restore_test import ExportedTable
    from selfright.domain.backup.run import BackUpInput, BackupRun
    from selfright.domain.manifest import Workload


class RecoveryPoints(Protocol):
    """The catalogue."""

    def record(self, point: RecoveryPoint) -> None:
        """Catalogue it; once, however often the same run does."""

    def record_newest(self, point: RecoveryPoint) -> None:
        """Only as the newest of its item: what AWS keeps continuously has no history here."""

    def newest(self, workload: str, environment: str) -> Sequence[RecoveryPoint]:
        """The newest warm point of every item."""

    def history(self, workload: str, environment: str, kind: str, source: str) -> Sequence[RecoveryPoint]:
        """Every point of one item, newest first."""


class ConfigurationChanges(Protocol):
    """Changes of configuration that no snapshot holds yet."""

    def mark(self, workload: str, environment: str, at: datetime) -> None:
        """One was heard of."""

    def covered(self, workload: str, environment: str, until: datetime) -> None:
        """A snapshot holds everything that was heard of before."""

    def pending(self, workload: str, environment: str) -> Changes | None: ...


class BackupRuns(Protocol):
    def find(self, run: str) -> BackupRun | None: ...

    def save(self, run: BackupRun) -> None: ...


class BackupExecutions(Protocol):
    def start(self, name: str, asked: BackUpInput) -> None:
        """Start `back_up` once for each name, however often it is called."""


class Stored(NamedTuple):
    """An object as it was read back: `size` in bytes, `sha256` hexadecimal."""

    place: Place
    size: int
    sha256: str


class BackupBucket(Protocol):
    def put(self, key: str, content: IO[bytes], content_type: str, tier: Tier) -> Stored:
        """Write an object and read back its size and SHA-256 as S3 has them.

        Raises SourceDownError where they are not what was sent, RefusedError.
        """

    def read(self, place: Place) -> bytes:
        """A whole object.

        Raises NotFoundError.
        """


class KeptExports(Protocol):
    """Full exports of tables into a run's folder."""

    def begin(self, table: str, folder: str, token: str) -> ExportedTable:
        """Export `table` as it is now; once for each token.

        Raises NotFoundError, RefusedError.
        """

    def stored(self, export: ExportedTable) -> StoredExportFiles | None:
        """What it consists of, once all of it lies in the bucket as its manifest says; None while under way.

        Raises RefusedError where it failed or is not whole.
        """


class StoredExportFiles(NamedTuple):
    """A whole export: its `manifest-files.json` as an object, its items, and the bytes of all its files."""

    manifest: Stored
    as_of: datetime
    items: int
    size: int


class Package(NamedTuple):
    """A function's code behind an alias, in a file that is read from its start; `code_sha256` is Lambda's (base64)."""

    content: IO[bytes]
    version: str
    code_sha256: str


class SystemState(Protocol):
    """What a workload consists of, as AWS has it now. Changes nothing."""

    def configuration(self, workload: Workload) -> dict[str, Any]:
        """Sections of configuration.json (docs/backup.md), values of environments encrypted.

        Raises NotFoundError, RefusedError.
        """

    def template(self, stack: str) -> dict[str, Any]:
        """Raises NotFoundError."""

    def state_machine(self, name: str) -> dict[str, Any]:
        """Raises NotFoundError."""

    def package(self, function: str, alias: str) -> Package:
        """Raises NotFoundError, RefusedError where it is not what Lambda says it is."""

    def objects(self, bucket: str, as_of: datetime) -> Iterator[dict[str, Any] | None]:
        """The objects that were current then, with their version ids; None for each that changed since.

        Raises NotFoundError, RefusedError where the bucket has no versions.
        """


class PointInTimeRecovery(Protocol):
    def switch_on(self, table: str) -> None:
        """Raises NotFoundError, RefusedError."""
