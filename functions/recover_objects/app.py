"""Bring objects of a versioned bucket back."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.recover_objects import recover_objects
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return recover_objects(id_of(step.execution), desk=home.recovery_desk, objects=home.object_versions)
