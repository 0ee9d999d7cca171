"""Restore a table under another name, and set it up."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.recover_table import recover_table
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return recover_table(
        id_of(step.execution), desk=home.recovery_desk, backups=home.backups, exports=home.exports
    )
