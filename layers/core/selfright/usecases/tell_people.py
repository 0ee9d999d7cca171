"""Tell people how an incident stands, through every channel of its workload at the same time.

No channel waits for another or depends on it. Each one's fate is on the timeline, so that a repeated room sends only
what has not arrived; domain/delivery.py says how often at most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from traceback import extract_tb

from selfright.domain.delivery import Delivery, DeliveryState, deliveries
from selfright.domain.errors import (
    BadInputError,
    ChannelDownError,
    NobodyToldError,
    NotFoundError,
    SelfrightError,
    SourceDownError,
)
from selfright.domain.incident import CaseFile
from selfright.domain.manifest import Workload
from selfright.domain.notice import Notice, calls_people, notice
from selfright.domain.report import report
from selfright.domain.steps import Told
from selfright.ports import Channels, Clock, Count, IncidentStore


def tell_people(
    incident_id: str,
    tell: bool = True,
    *,
    workloads: Mapping[str, Workload],
    store: IncidentStore,
    channels: Channels,
    clock: Clock,
    count: Count,
) -> Told:
    """Send what is due, and nothing where not `tell`: another incident tells it for this one, too.

    Counts NoticesSent and NoticesFailed, one for each send, by `channel` type.

    Raises, once everything is on record: ChannelDownError where a channel should be tried again and another was
    told, NobodyToldError where none was told yet, BadInputError where none ever will be, RuntimeError where a
    channel's code is wrong. NotFoundError where the incident does not exist.
    """
    if not tell:
        return Told(told=(), not_told={})
    case = store.case(incident_id)
    workload = workloads[case.incident.workload]
    known = tuple(deliveries(case))
    outgoing = {delivery.channel: (delivery, what) for delivery, what in _outgoing(case, workload)}
    fates = {channel: delivery for channel, (delivery, _) in outgoing.items()}
    if changed := [delivery for delivery in fates.values() if delivery not in known]:
        store.note(incident_id, [delivery.entry(clock.now()) for delivery in changed])

    due = [(delivery, what) for delivery, what in outgoing.values() if what]
    mistakes: list[str] = []
    with ThreadPoolExecutor(max_workers=len(outgoing)) as pool:
        sends = {pool.submit(channels.open(workload, d.channel).send, what): d for d, what in due}
        for send in as_completed(sends):
            error = send.exception()
            fate = fates[sends[send].channel] = _fate(sends[send], error)
            store.note(incident_id, [fate.entry(clock.now())])
            count("NoticesFailed" if error else "NoticesSent", channel=fate.type)
            if error and not isinstance(error, SelfrightError):
                mistakes.append(f"{fate.channel}: {fate.why}")
    if mistakes:
        raise RuntimeError("; ".join(mistakes))
    return _told(fates.values())


def _outgoing(case: CaseFile, workload: Workload) -> Iterator[tuple[Delivery, Notice | None]]:
    """Every channel's delivery as it stands now, and the notice where one is to be sent."""
    known = {(d.channel, d.status): d for d in deliveries(case)}
    paged = {d.channel for d in known.values() if calls_people(d.status) and d.may_have_arrived}
    status, words = case.incident.status, report(case)
    for key, way in workload.notifications.ways.items():
        delivery = known.get((key, status)) or Delivery(channel=key, type=way.type, status=status)
        what = notice(way.type, words, paged=key in paged)
        if what is None:
            yield delivery.not_needed(), None
        elif delivery.due:
            yield delivery.begun(), what
        elif delivery.state is DeliveryState.SENDING:
            yield delivery.given_up(), None
        else:
            yield delivery, None


def _fate(delivery: Delivery, error: BaseException | None) -> Delivery:
    match error:
        case None:
            return delivery.arrived()
        case ChannelDownError():
            return delivery.down(str(error), error.unanswered)
        case SourceDownError():  # its secret could not be read
            return delivery.down(str(error), 0)
        case BadInputError() | NotFoundError():
            return delivery.refused(str(error))
        case Exception():
            # A mistake of ours. Its message may quote a secret; where it was made is enough to find it.
            made = extract_tb(error.__traceback__)[-1]
            return delivery.refused(f"unexpected {type(error).__name__} at {made.name}, line {made.lineno}")
        case _:
            raise error


def _told(fates: Collection[Delivery]) -> Told:
    told = tuple(d.channel for d in fates if d.state is DeliveryState.TOLD)
    failed = {d.channel: d.why for d in fates if d.failed}
    reasons = "; ".join(f"{channel}: {why}" for channel, why in failed.items())
    if any(d.state is DeliveryState.DOWN for d in fates):
        raise ChannelDownError(reasons) if told else NobodyToldError(reasons)
    if failed and not told:
        raise BadInputError("notifications.channels", f"must hold one that takes notices ({reasons})")
    return Told(told=told, not_told=failed)
