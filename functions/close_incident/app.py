"""Close an incident: its leases go back, its outcome goes on record."""

from selfright.domain.steps import Closed, CloseInput
from selfright.edge.room import room
from selfright.usecases.close_incident import close_incident
from selfright.wiring import house


@room(CloseInput, calls=lambda: house().aws.calls)
def handler(close: CloseInput) -> Closed:
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
