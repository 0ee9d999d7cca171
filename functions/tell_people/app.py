"""Tell people how an incident stands, through every channel of its workload."""

from selfright.domain.steps import TellInput, Told
from selfright.edge.room import count, room
from selfright.usecases.tell_people import tell_people
from selfright.wiring import house


@room(TellInput, calls=lambda: house().aws.calls)
def handler(tell: TellInput) -> Told:
    home = house()
    return tell_people(
        tell.incident_id,
        tell.tell,
        workloads=home.workloads,
        store=home.store,
        channels=home.channels,
        clock=home.clock,
        count=count,
    )
