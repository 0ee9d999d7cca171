"""Event source mappings of SQS queues answer at once, also to messages that become visible later."""

from __future__ import annotations

import json
import time

from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import create, eventually, printed, queue

CODE = """
import json, time
def handler(event, context):
    for record in event["Records"]:
        print(json.dumps({"body": record["body"], "at": time.time()}))
"""


def test_a_message_is_handled_within_a_fifth_of_a_second_of_becoming_visible(aws: Server):
    # Given a mapping that has been idle, its function warm
    name, (url, queue_arn), sqs = create(aws, CODE), queue(aws), aws.client("sqs")
    aws.client("lambda").create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=name)
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps("warm"))
    eventually(lambda: printed(aws, name), bool)
    # When one message comes at once and another with a delay of one second
    began = time.time()
    sqs.send_message(QueueUrl=url, MessageBody="now")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    runs = eventually(lambda: printed(aws, name), lambda found: len(found) == 3)
    # Then both are handled as soon as they may be; 0.2 s of slack is for the machine
    at = {run["body"]: run["at"] - began for run in runs}
    assert at["now"] < 0.4
    assert 1.0 <= at["later"] < 1.4
