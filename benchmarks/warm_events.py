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


def main(spec: dict[str, Any]) -> None:
    sys.path[:0] = spec["paths"]
    import app  # type: ignore[import-not-found]
    from botocore.session import Session

    from selfright.wiring import house

    context = SimpleNamespace(aws_request_id="request-1", function_name="bench")

    def handle() -> None:
        if spec["expect"] not in json.dumps(app.handler(spec["event"], context)):
            raise SystemExit("the room did not answer as it should")

    handle()
    asked = _calls_of(handle, house().aws)
    stock = Session()
    clients = {service: stock.create_client(service) for service, _, _ in asked}

    def bare() -> None:
        for service, operation, parameters in asked:
            getattr(clients[service], operation)(**parameters)

    built: list[str] = []
    Session.create_client = lambda *args, **_: built.append(args[1])  # type: ignore[method-assign,assignment]
    rounds: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        for name, run in (("ours", handle), ("bare", bare)):
            began = time.process_time()
            for _ in range(EVENTS):
                run()
            rounds[name].append((time.process_time() - began) / EVENTS)
    if built:
        raise SystemExit(f"clients were built for an event: {built}")
    found = {**rounds, "calls": [call[1] for call in asked], "events": ROUNDS * EVENTS}
    Path(spec["result"]).write_text(json.dumps(found))


def _calls_of(handle: Callable[[], None], aws: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Service, method and parameters of every call that one event makes."""
    calls: list[tuple[str, str, dict[str, Any]]] = []
    stop = []
    for service in ("dynamodb", "stepfunctions"):
        client = aws.client(service)
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}

        def note(
            params: dict[str, Any], model: Any, service: str = service, methods: Any = methods, **_: Any
        ) -> None:
            calls.append((service, methods[model.name], dict(params)))

        client.meta.events.register("provide-client-params", note, unique_id="bench")
        stop.append(client.meta.events)
    handle()
    for events in stop:
        events.unregister("provide-client-params", unique_id="bench")
    return calls


main(json.loads(sys.argv[1]))
