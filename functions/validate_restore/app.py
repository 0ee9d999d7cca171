"""Woken when AWS Backup's restore testing has restored a table: say whether it makes sense."""

from selfright.domain.backup.restore_job import Validated
from selfright.edge.restore_tested import RestoreTested
from selfright.edge.room import room
from selfright.usecases.validate_restore import validate_restore
from selfright.wiring import house


@room(RestoreTested, calls=lambda: house().aws.calls)
def handler(event: RestoreTested) -> Validated:
    home = house()
    return validate_restore(
        event.detail.job,
        workloads=home.workloads,
        backups=home.backups,
        items=home.restored_items,
        jobs=home.restore_jobs,
    )
