"""Say how a recovery ended, and clean up after it."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.close_recovery import close_recovery
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return close_recovery(
        id_of(step.execution),
        step.failure,
        desk=home.recovery_desk,
        backups=home.backups,
        bucket=home.evidence,
    )
