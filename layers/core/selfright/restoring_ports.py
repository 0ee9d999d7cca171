"""What recoveries need from the world, as Protocols; see ports.py and backup_ports.py.

Every method may raise SourceDownError (ThrottledError, BusyError); others are named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from selfright.backup_ports import Item
from selfright.domain.manifest import Environment

if TYPE_CHECKING:
    from selfright.domain.backup.catalogue import PointKind, RecoveryPoint
    from selfright.domain.recovery.objects import ObjectVersion
    from selfright.domain.recovery.record import Recovery
    from selfright.domain.recovery.request import RecoverInput
    from selfright.domain.recovery.settings import Setting
    from selfright.domain.recovery.template import Account, Code


class Recoveries(Protocol):
    """What is written down about recoveries."""

    def find(self, recovery: str) -> Recovery | None: ...

    def save(self, recovery: Recovery) -> None: ...

    def newest(self, workload: str, environment: Environment, limit: int) -> Sequence[Recovery]:
        """Newest first."""


class LiveItems(Protocol):
    """Items of a table that people use, changed one by one and only as they were seen."""

    def read(self, table: str, key: Item) -> Item | None: ...

    def put(self, table: str, key: Item, item: Item, seen: Item | None) -> None:
        """Raises ConflictError where it is not as it was seen any more, RefusedError."""

    def remove(self, table: str, key: Item, seen: Item) -> None:
        """Raises ConflictError where it is not as it was seen any more, RefusedError."""


class ObjectVersions(Protocol):
    """Versions of the objects in a bucket that keeps them."""

    def versions(self, bucket: str, prefix: str) -> Sequence[ObjectVersion]:
        """Of all keys that begin so, delete markers among them; newest first for each key.

        Raises RefusedError where the bucket keeps no versions, or has too many to look at.
        """

    def copy_back(self, bucket: str, key: str, version: str) -> None:
        """Make an earlier version the newest one, as a new version.

        Raises RefusedError.
        """


class SettingsBoard(Protocol):
    """What configures a workload, one setting at a time, as domain/recovery/settings.py spells it."""

    def read(self, setting: Setting) -> str | None:
        """Its value as it is now, spelled like `setting.value`; None where there is none."""

    def write(self, setting: Setting) -> None:
        """Raises RefusedError."""


class KeptState(Protocol):
    """The catalogue of recovery points, and the objects that they name."""

    def newest(
        self, workload: str, environment: Environment, kind: PointKind, source: str, at: datetime
    ) -> RecoveryPoint | None:
        """The newest that can be read, of a moment or before."""

    def read(self, point: RecoveryPoint) -> bytes:
        """Raises RefusedError where it is not what was catalogued."""

    def items(self, point: RecoveryPoint) -> Iterable[Item]:
        """Those of a table's export, as the API takes them.

        Raises RefusedError where the export is not whole.
        """


class Elsewhere(Protocol):
    """Another account or region that a workload is built anew in. Nothing there is deleted."""

    @property
    def where(self) -> Account: ...

    @property
    def board(self) -> SettingsBoard: ...

    def stage(self, name: str, body: bytes) -> Code:
        """Put a deployment package where CloudFormation there can read it."""

    def stack_status(self, stack: str) -> str | None:
        """None where there is none.

        Raises RefusedError where another than this recovery made it.
        """

    def create_stack(
        self, stack: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Raises RefusedError."""

    def fill(self, table: str, items: Iterable[Item]) -> int:
        """Put items in, however often; answers how many.

        Raises RefusedError.
        """

    def missing(self, table: str, items: Iterable[Item]) -> bool:
        """Whether the table holds anything but these items.

        Raises NotFoundError.
        """

    def code_sha256(self, function: str, alias: str) -> str:
        """Raises NotFoundError."""

    def alarms(self, names: Collection[str]) -> set[str]:
        """Those of them that there are."""


class Drills(Protocol):
    """Executions of `recover` that rehearse."""

    def start(self, name: str, asked: RecoverInput) -> None:
        """Once for each name, however often it is called."""
