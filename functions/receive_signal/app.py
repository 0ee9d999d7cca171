"""Woken by alarm state changes from the signal queue. Each message is decided on its own; a bad one goes to the DLQ."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from selfright.edge.alarm_event import alarm_signal
from selfright.edge.room import count_calls, logger
from selfright.usecases.receive_signal import receive_signal
from selfright.wiring import house

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def decide(record: Any) -> None:
    home = house()
    signal = alarm_signal(record.json_body)
    record = receive_signal(
        signal,
        workloads=tuple(home.workloads.values()),
        store=home.store,
        workflows=home.workflows,
        clock=home.clock,
    )
    logger.info("decided", extra=record.model_dump(mode="json"))


def handler(event: dict[str, Any], context: Any) -> Any:
    before = house().aws.calls.total()
    answer = process_partial_response(
        event=event, record_handler=decide, processor=processor, context=context
    )
    count_calls(house().aws.calls.total() - before)
    return answer
