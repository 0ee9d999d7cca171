"""Build a whole workload anew in another account or region."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.rebuild_workload import rebuild_workload
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return rebuild_workload(
        id_of(step.execution), desk=home.recovery_desk, kept=home.kept_state, elsewhere=home.elsewhere
    )
