"""A message that cannot be read goes to the dead-letter queue, and takes no other one with it."""

from __future__ import annotations

import json

from selfright.domain.signal import Decision
from tests.sandbox.journeys.signals import decision, event
from tests.sandbox.journeys.world import World

GARBAGE = "%PDF-1.7 not an alarm"
STRANGER = json.dumps({"source": "aws.cloudwatch", "detail-type": "something else"})


def test_garbage_ends_in_the_dead_letter_queue_and_the_rest_is_decided(
    sandbox_world: World, impatient_queue: str
):
    world, sqs = sandbox_world, sandbox_world.client("sqs")
    alarms = ("orchestrator-error-rate-warning", "orchestrator-latency-warning")
    good = [event(alarm, "OK", world.now()) for alarm in alarms]
    bodies = [json.dumps(good[0]), GARBAGE, STRANGER, json.dumps(good[1])]

    # When two good messages and two bad ones come in one batch
    sqs.send_message_batch(
        QueueUrl=impatient_queue,
        Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)],
    )

    # Then the good ones are decided
    world.until("the good ones are decided", lambda: all(decision(world, told) for told in good))
    decided = [decision(world, told) for told in good]
    assert [d and d.decision for d in decided] == [Decision.RECOVERED] * 2

    # ... and the bad ones lie, unchanged, where people can look at them
    dead: list[str] = []

    def both_are_dead() -> bool:
        dead.extend(world.take_messages(world.outputs["SignalsDeadLettersUrl"]))
        return len(dead) == 2

    world.until("two messages are in the dead-letter queue", both_are_dead)
    assert sorted(dead) == sorted([GARBAGE, STRANGER])
    left = sqs.get_queue_attributes(
        QueueUrl=impatient_queue,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert set(left.values()) == {"0"}
