"""Send a function's users back to code that was good."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.recover_code import recover_code
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return recover_code(
        id_of(step.execution),
        desk=home.recovery_desk,
        functions=home.functions,
        versions=home.versions,
        kept=home.kept_state,
    )
