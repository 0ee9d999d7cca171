"""The measured child of cold_import: a fresh interpreter, one room, its first event. Standard library only.

first_event.py SPEC         SPEC is JSON: paths (of sys.path, first to last), and either
                            event and expect (a part of the answer's JSON), or
                            clients (to import boto3 and make these, on one session)
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace


def main(spec: dict) -> None:  # type: ignore[type-arg]
    sys.path[:0] = spec["paths"]
    if "clients" in spec:
        import boto3

        session = boto3.Session() if spec["clients"] else None
        for service in spec["clients"]:
            session.client(service)  # type: ignore[union-attr]
        return
    import app  # type: ignore[import-not-found]

    answer = app.handler(spec["event"], SimpleNamespace(aws_request_id="request-1", function_name="bench"))
    if spec["expect"] not in json.dumps(answer):
        raise SystemExit(f"{spec['paths'][0]}: expected {spec['expect']}, got {answer}")


main(json.loads(sys.argv[1]))
