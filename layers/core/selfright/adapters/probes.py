"""Ask a workload whether it works: invoke a function, GET an address, run a state machine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.http_probe import fetch
from selfright.domain.errors import ConflictError
from selfright.domain.release.probing import Heard, Ran
from selfright.ports import Clock


class AwsProbes:
    """`machines`: ARN of the account's state machines without a name. `local`: addresses may be this machine's."""

    def __init__(self, aws: Aws, machines: str, clock: Clock, *, local: bool = False) -> None:
        self._aws, self._machines, self._clock, self._local = aws, machines, clock, local

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any], seconds: float) -> Heard:
        from botocore.exceptions import ReadTimeoutError

        client = self._aws.patient("lambda", seconds)
        began = time.monotonic()
        with translated(f"invoking {function}:{qualifier}"):
            try:
                answer = client.invoke(
                    FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event).encode()
                )
                text = answer["Payload"].read()
            except ReadTimeoutError:
                took = time.monotonic() - began
                return Heard(seconds=took, trouble=f"no answer within {seconds:g} s")
        took = time.monotonic() - began
        body = _document(text)
        if "FunctionError" in answer:
            said = body if isinstance(body, dict) else {}
            error = f"{said.get('errorType', answer['FunctionError'])}: {said.get('errorMessage', '')}"
            return Heard(seconds=took, trouble=error[:300], body=body)
        return Heard(seconds=took, body=body)

    def fetch(self, url: str, seconds: float) -> Heard:
        return fetch(url, seconds, local=self._local)

    def run(self, machine: str, name: str, given: Mapping[str, Any]) -> Ran:
        client, arn = self._aws.client("stepfunctions"), f"{self._machines}{machine}"
        try:
            with translated(f"running {machine}"):
                client.start_execution(stateMachineArn=arn, name=name, input=json.dumps(given))
        except ConflictError:
            pass  # before this room was repeated
        execution = f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
        with translated(f"looking how {machine} runs"):
            found = client.describe_execution(executionArn=execution)
        end = found.get("stopDate") or self._clock.now()
        return Ran(status=found["status"], seconds=max(0.0, (end - found["startDate"]).total_seconds()))


def _document(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
