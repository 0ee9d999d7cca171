"""Close an incident, give its leases back and write the message for people."""

from selfright.domain.steps import CloseInput, Message
from selfright.edge.room import room
from selfright.usecases.close_incident import close_incident
from selfright.wiring import house


@room(CloseInput, calls=lambda: house().aws.calls)
def handler(close: CloseInput) -> Message:
    home = house()
    return close_incident(
        close.incident_id,
        close.status,
        close.reason,
        close.error,
        store=home.store,
        leases=home.leases,
        history=home.history,
        clock=home.clock,
    )
