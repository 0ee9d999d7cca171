"""Plays a state machine of statemachines/ with the real handlers in this process: no AWS, no waiting.

It knows as much of ASL and JSONata as those files use: paths, `&`, comparison with a text, Retry and Catch by error
name. The whole engine plays it in the sandbox; this one is for playing it hundreds of times.
"""

from __future__ import annotations

import json
import re
from functools import cache
from types import CodeType, SimpleNamespace
from typing import Any

from selfright.domain.manifest.escalation import TOPIC
from tests.unit.usecases.world import ROOT

MACHINES: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".asl.json"): json.loads(path.read_text())
    for path in (ROOT / "statemachines").glob("*.asl.json")
}
MAX_STATES = 200


class CrashedError(BaseException):
    """The Lambda function dies: no line of ours runs any more. Step Functions sees Sandbox.Timedout."""


class TaskFailedError(Exception):
    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name, cause


@cache
def _code(room: str) -> CodeType:
    path = ROOT / "functions" / room / "app.py"
    return compile(path.read_text(), str(path), "exec")


def handler(room: str, world: Any) -> Any:
    """The handler of functions/<room>/app.py, living in `world`."""
    module: dict[str, Any] = {"__name__": f"functions.{room}.app"}
    exec(_code(room), module)  # noqa: S102 - our own file; a plain import would share it between worlds
    module["house"] = lambda: world
    return module["handler"]


class Respond:
    """One execution. `visited` are the states it went through, `published` what the topic's subscribers got."""

    def __init__(self, world: Any, machine: str = "respond") -> None:
        self._world, self._machine = world, machine
        self._handlers: dict[str, Any] = {}
        self.visited: list[str] = []
        self._told_before = len(world.channels.to(TOPIC))
        self.failed = False

    @property
    def published(self) -> list[dict[str, Any]]:
        return [notice.body for notice in self._world.channels.to(TOPIC)][self._told_before :]

    def run(self, incident_id: str, **more: Any) -> None:
        self.play(self._machine, incident_id=incident_id, **more)

    def play(self, machine: str, **given: Any) -> None:
        definition = MACHINES[machine]
        self._variables: dict[str, Any] = {}
        self._input = given
        name: str | None = definition["StartAt"]
        while name is not None:
            self.visited.append(name)
            assert len(self.visited) < MAX_STATES, "the execution does not come to an end"
            name = self._enter(definition["States"][name])
            self._input = {}  # every state outputs {}

    def _enter(self, state: dict[str, Any]) -> str | None:
        match state["Type"]:
            case "Task":
                return self._task(state)
            case "Choice":
                met = (c["Next"] for c in state["Choices"] if self._value(c["Condition"]) is True)
                return str(next(met, state["Default"]))
            case "Wait":
                self._world.pass_time(self._value(state["Seconds"]))
                return str(state["Next"])
            case "Succeed":
                return None
            case _:
                self.failed = True
                return None

    def _task(self, state: dict[str, Any]) -> str | None:
        arguments = self._value(state["Arguments"])
        tries = [0] * len(state["Retry"])
        while True:
            try:
                result = self._call(arguments)
            except TaskFailedError as error:
                if self._may_retry(state["Retry"], tries, error.name):
                    continue
                catch = next(c for c in state["Catch"] if {error.name, "States.ALL"} & set(c["ErrorEquals"]))
                output = {"Error": error.name, "Cause": error.cause}
                self._variables |= self._value(catch.get("Assign", {}), {"errorOutput": output})
                return str(catch["Next"])
            self._variables |= self._value(state.get("Assign", {}), {"result": {"Payload": result}})
            return None if state.get("End") else str(state["Next"])

    def _may_retry(self, retriers: list[dict[str, Any]], tries: list[int], error: str) -> bool:
        for n, retrier in enumerate(retriers):
            if error in retrier["ErrorEquals"] or retrier["ErrorEquals"] == ["States.ALL"]:
                tries[n] += 1
                self._world.pass_time(min(retrier["IntervalSeconds"], retrier["MaxDelaySeconds"]))
                return tries[n] <= int(retrier["MaxAttempts"])
        return False

    def _call(self, arguments: dict[str, Any]) -> Any:
        room = _snake(str(arguments["FunctionName"]).removeprefix("${").removesuffix("Arn}"))
        if room not in self._handlers:
            self._handlers[room] = handler(room, self._world)
        event = json.loads(json.dumps(arguments["Payload"]))
        try:
            answer = self._handlers[room](event, SimpleNamespace(aws_request_id="request-1"))
        except CrashedError as crash:
            raise TaskFailedError("Sandbox.Timedout", str(crash)) from None
        except Exception as error:
            raise TaskFailedError(type(error).__name__, str(error)) from error
        return json.loads(json.dumps(answer))

    def _value(self, template: Any, states: dict[str, Any] | None = None) -> Any:
        if isinstance(template, dict):
            return {k: self._value(v, states) for k, v in template.items()}
        if not isinstance(template, str) or not template.startswith("{%"):
            return template
        text = template.removeprefix("{%").removesuffix("%}").strip()
        if equal := re.fullmatch(r"(\S+) = '(.*)'", text):
            return self._path(equal[1], states) == equal[2]
        if false := re.fullmatch(r"(\S+) = false", text):
            return self._path(false[1], states) is False
        parts = [p.strip() for p in text.split(" & ")]
        values = [p[1:-1] if p.startswith("'") else self._path(p, states) for p in parts]
        return values[0] if len(values) == 1 else "".join(str(v) for v in values)

    def _path(self, path: str, states: dict[str, Any] | None) -> Any:
        first, *rest = path.removeprefix("$").split(".")
        known = {**self._variables, "states": {"input": self._input, **(states or {})}}
        value = known[first]
        for name in rest:
            value = value[name]
        return value


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
