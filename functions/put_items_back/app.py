"""Put back in a live table the items that differ."""

from selfright.domain.recovery.record import id_of
from selfright.domain.recovery.steps import RecoverStep, RecoverWord
from selfright.edge.room import room
from selfright.usecases.put_items_back import put_items_back
from selfright.wiring import house


@room(RecoverStep, calls=lambda: house().aws.calls)
def handler(step: RecoverStep) -> RecoverWord:
    home = house()
    return put_items_back(id_of(step.execution), desk=home.recovery_desk, items=home.live_items)
