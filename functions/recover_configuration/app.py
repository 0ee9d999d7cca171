"""Put settings back, or send the application to a restored table."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.recover_configuration import recover_configuration
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return recover_configuration(
        id_of(step.execution), desk=home.recovery_desk, board=home.settings_board, kept=home.kept_state
    )
