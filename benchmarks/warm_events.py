"""The measured child of intake.warm: one room on a warm process, beside the same calls on stock clients.

    warm_events.py SPEC         SPEC is JSON: paths (of sys.path), event, expect (a part of the answer's JSON), and
                                result, the file to write the CPU seconds per event of each round to

Standard library only, besides what the room brings.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROUNDS, EVENTS = 15, 40
Calls = list[tuple[str, str, dict[str, Any]]]
"""Service, operation and parameters."""


def main(spec: dict[str, Any]) -> None:
    sys.path[:0] = spec["paths"]
    import app  # type: ignore[import-not-found]
    from botocore.session import Session

    from selfright.adapters.lean_client import LeanClient
    from selfright.wiring import house

    context = SimpleNamespace(aws_request_id="request-1", function_name="bench")

    def handle() -> None:
        if spec["expect"] not in json.dumps(app.handler(spec["event"], context)):
            raise SystemExit("the room did not answer as it should")

    handle()
    lean = {service: house().aws.lean(service) for service in ("dynamodb", "stepfunctions")}
    asked = _calls_of(handle, lean)
    stock = {service: Session().create_client(service) for service in lean}
    methods = {
        operation: method
        for client in stock.values()
        for method, operation in client.meta.method_to_api_mapping.items()
    }

    def bare() -> None:
        for service, operation, parameters in asked:
            getattr(stock[service], methods[operation])(**parameters)

    def calls_alone() -> None:
        for service, operation, parameters in asked:
            lean[service].call(operation, parameters)

    built: list[str] = []
    Session.create_client = lambda *args, **_: built.append(args[1])  # type: ignore[method-assign,assignment]
    LeanClient.__init__ = lambda *args, **_: built.append(str(args))  # type: ignore[method-assign]
    rounds = _interleaved({"ours": handle, "bare": bare, "lean": calls_alone})
    if built:
        raise SystemExit(f"clients were built for an event: {built}")
    found = {**rounds, "calls": [methods[call[1]] for call in asked], "events": ROUNDS * EVENTS}
    Path(spec["result"]).write_text(json.dumps(found))


def _interleaved(measured: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """CPU seconds per event of each, round by round."""
    rounds: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(ROUNDS):
        for name, run in measured.items():
            began = time.process_time()
            for _ in range(EVENTS):
                run()
            rounds[name].append((time.process_time() - began) / EVENTS)
    return rounds


def _calls_of(handle: Callable[[], None], clients: dict[str, Any]) -> Calls:
    """Every call that one event makes; all of them go through these clients, or the figure means nothing."""
    calls: Calls = []
    for service, client in clients.items():

        def note(operation: str, parameters: Any, service: str = service, call: Any = client.call) -> Any:
            calls.append((service, operation, parameters))
            return call(operation, parameters)

        client.call = note
    handle()
    for client in clients.values():
        del client.call
    return calls


main(json.loads(sys.argv[1]))
