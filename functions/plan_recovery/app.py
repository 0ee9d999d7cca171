"""Say what a recovery will do, or why it may not begin."""

from selfright.domain.recovery.steps import RecoverBegin, RecoverWord
from selfright.edge.room import room
from selfright.usecases.plan_recovery import plan_recovery
from selfright.wiring import house


@room(RecoverBegin, calls=lambda: house().aws.calls)
def handler(step: RecoverBegin) -> RecoverWord:
    home = house()
    return plan_recovery(step, desk=home.recovery_desk, backups=home.backups)
