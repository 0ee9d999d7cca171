"""Write the sentinel of every table whose manifest wants one."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from selfright.backup_ports import Sentinels, TableBackups
from selfright.domain.backup.sentinel import sentinel
from selfright.domain.backup.verdict import FROZEN
from selfright.domain.errors import SelfrightError
from selfright.domain.manifest import Workload
from selfright.ports import Clock


class Witnessed(BaseModel):
    """Names of the tables."""

    model_config = FROZEN

    tables: tuple[str, ...] = ()


def write_sentinels(
    *, workloads: Mapping[str, Workload], backups: TableBackups, sentinels: Sentinels, clock: Clock
) -> Witnessed:
    """Try every table, and only then raise what went wrong with the first: a missing sentinel fails the next test."""
    written, wrong = [], []
    for workload in workloads.values():
        for key, policy in workload.backup.tables.items():
            if policy.sentinel:
                table = workload.resource(key).name
                try:
                    sentinels.write(table, sentinel(backups.keys(table), clock.now()))
                    written.append(table)
                except SelfrightError as error:
                    wrong.append(error)
    if wrong:
        raise wrong[0]
    return Witnessed(tables=tuple(written))
