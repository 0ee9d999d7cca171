"""PublishStateMachineVersion: of one revision there is one version, however often it is published, as on AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from sandbox.emulator.wrapping import original, replace

Response = tuple[int, dict[str, str], bytes]


def _once(before: Callable[[dict[str, Any]], Response]) -> Callable[[dict[str, Any]], Response]:
    def publish(data: dict[str, Any]) -> Response:
        arn = data.get("stateMachineArn")
        machine = original(stepfunctions, "_state_machines").get(arn)
        asked = data.get("revisionId")
        if machine is None or (asked and asked != machine.get("revisionId")):
            return before(data)
        for version in original(stepfunctions, "_state_machine_versions").values():
            known = (version["stateMachineArn"], version["stateMachineRevisionId"])
            if known == (arn, machine.get("revisionId")):
                found = {key: version[key] for key in ("stateMachineVersionArn", "creationDate")}
                answer: Response = json_response(found)
                return answer
        return before(data)

    return publish


def install() -> None:
    replace(stepfunctions, "_publish_state_machine_version", _once)
