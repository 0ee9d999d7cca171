"""Compare a restored table with its source."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.compare_recovery import compare_recovery
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return compare_recovery(
        id_of(step.execution), desk=home.recovery_desk, exports=home.exports, items=home.live_items
    )
