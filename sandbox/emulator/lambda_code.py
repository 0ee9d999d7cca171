"""GetFunction's Code.Location leads to the package of the version that was asked for, not to the newest one's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace

OK = 200
Response = tuple[int, dict[str, str], bytes]


def install(_clock: SandboxClock) -> None:
    from ministack.services import lambda_svc

    replace(lambda_svc, "_get_function", _located)
    replace(lambda_svc, "serve_function_code", _of_the_version)


def _located(before: Callable[..., Response]) -> Callable[..., Response]:
    def get_function(name: str, qualifier: str | None = None) -> Response:
        status, headers, body = before(name, qualifier)
        if status != OK or not qualifier:
            return status, headers, body
        found = json.loads(body)
        if location := found["Code"].get("Location"):
            version = found["Configuration"]["Version"]
            found["Code"]["Location"] = location.replace(f"/{name}?", f"/{name}:{version}?")
        return status, headers, json.dumps(found).encode()

    return get_function


def _of_the_version(before: Callable[..., Response]) -> Callable[..., Response]:
    def serve(function: str, account_id: str | None = None, region: str | None = None) -> Response:
        from ministack.services import lambda_svc

        name, _, version = function.partition(":")
        if not version or version == "$LATEST" or not account_id or not region:
            return before(name, account_id, region)
        record: dict[str, Any] = original(lambda_svc, "_functions").get_scoped(account_id, region, name) or {}
        package = record.get("versions", {}).get(version, {}).get("code_zip")
        if package is None:
            return 404, {"Content-Type": "text/plain"}, b"Function not found"
        return OK, {"Content-Type": "application/zip"}, package

    return serve
