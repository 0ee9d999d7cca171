"""/_selfright/faults makes one chosen AWS call go wrong, and keeps a record of who called what.

PUT arms one fault and begins a new record; GET answers the record; DELETE disarms and forgets. AWS's own Fault
Injection Service cannot do this: it knows no single call. A fault names its call by the caller (a function's or a
role's name), the IAM action, the resource and which of such calls within one invocation it is (`nth`, from 1); a
state machine's calls are counted through. The SDK's own retries of a call are that call.

Modes: `fail` and `throttle` answer as the service would and do nothing; `delay` does it and holds the answer back;
`kill-before` ends the caller's process and does nothing; `kill-after` does it and ends the process before it can see
the answer. `times`: how many requests are hit, 0 for all of them, in later invocations too.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from sandbox.emulator.callers import Caller, Callers
from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.fault_answers import Response, failure, throttle
from sandbox.emulator.wrapping import original, replace

PATH = "/_selfright/faults"
MODES = ("fail", "throttle", "delay", "kill-before", "kill-after")
REQUEST_KEPT = 2000  # bytes of each request's body: enough for every change of a resource
_SWALLOWED = 599  # nobody is left to read it
# What MiniStack knows no IAM action for.
_UNNAMED = {
    ("POST", "/configurationsessions"): "appconfig:StartConfigurationSession",
    ("GET", "/configuration"): "appconfig:GetLatestConfiguration",
}

Dispatch = Callable[..., Awaitable[Response]]
Route = Callable[[str, str, bytes], Awaitable[Response | None]]


@dataclass(frozen=True)
class Fault:
    """`resource`: an ARN, with `*` for what is named anew in every run. `seconds`: of the wall, for `delay`."""

    caller: str
    action: str
    resource: str
    nth: int
    mode: str
    times: int = 1
    seconds: float = 0.0


@dataclass
class Call:
    """One request. `attempt`: which of the SDK's tries; `status` is 0 until it is answered."""

    caller: str
    invocation: str
    action: str
    resource: str
    nth: int
    attempt: int
    at: float
    request: str
    status: int = 0
    struck: str = ""

    @property
    def carried_out(self) -> bool:
        """The service did it, whether or not the caller could see the answer."""
        return 200 <= self.status < 300 and self.struck not in {"fail", "throttle", "kill-before"}  # noqa: PLR2004

    def is_hit_by(self, fault: Fault) -> bool:
        there = self.nth == fault.nth if self.invocation else self.nth >= fault.nth
        same = (self.caller, self.action) == (fault.caller, fault.action)
        return there and same and fnmatchcase(self.resource, fault.resource)


class Faults:
    """The armed fault and the record. Requests come from many threads."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._calls: list[Call] = []
        self._ordinals: dict[tuple[str, ...], dict[str, int]] = {}

    def arm(self, fault: Fault | None) -> None:
        with self._lock:
            self._fault, self._calls, self._ordinals = fault, [], {}

    def record(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def note(
        self, caller: Caller, action: str, resource: str, headers: dict[str, str], body: bytes
    ) -> tuple[Call, Fault | None]:
        """The call on record, and the fault that hits it."""
        one = headers.get("amz-sdk-invocation-id", "")
        attempt = headers.get("amz-sdk-request", "attempt=1").partition("attempt=")[2].split(";")[0]
        with self._lock:
            known = self._ordinals.setdefault((caller.name, caller.invocation, action, resource), {})
            nth = known.setdefault(one, len(known) + 1)
            call = Call(
                caller=caller.name,
                invocation=caller.invocation,
                action=action,
                resource=resource,
                nth=nth,
                attempt=int(attempt),
                at=self._clock.time(),
                request=body[:REQUEST_KEPT].decode(errors="replace"),
            )
            self._calls.append(call)
            fault = self._fault
            if fault is None or not call.is_hit_by(fault):
                return call, None
            if fault.times and sum(bool(c.struck) for c in self._calls) >= fault.times:
                return call, None
            call.struck = fault.mode
            return call, fault


def install(clock: SandboxClock) -> None:
    from ministack import app
    from ministack.core import iam_actions, router

    for name in ("dynamodb_transaction_checks", "extract_iam_action", "extract_resource_arn"):
        original(iam_actions, name)
    original(router, "detect_service")
    callers, faults = Callers(), Faults(clock)
    callers.install()
    replace(app, "_dispatch_service_request", lambda before: _serve(callers, faults, before))
    replace(app, "_handle_admin_config_request", lambda before: _route(faults, before))


def _serve(callers: Callers, faults: Faults, before: Dispatch) -> Dispatch:
    async def serve(method: str, path: str, headers: dict[str, str], body: bytes, *more: Any) -> Response:
        caller = callers.of(headers)
        if caller is None:
            return await before(method, path, headers, body, *more)
        action, resource = _named(method, path, headers, body, more[0])
        call, fault = faults.note(caller, action, resource, headers, body)
        match call.struck:
            case "kill-before":
                _kill(caller)
                return _SWALLOWED, {}, b""
            case "fail":
                answer = failure(action, headers)
            case "throttle":
                answer = throttle(action, headers)
            case _:
                answer = await before(method, path, headers, body, *more)
        call.status = answer[0]
        if call.struck == "kill-after":
            _kill(caller)
        if fault and call.struck == "delay":
            await asyncio.sleep(fault.seconds)
        return answer

    return serve


def _named(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> tuple[str, str]:
    """The IAM action and the resource's ARN of a request; of a transaction, its first item's table."""
    from ministack import app
    from ministack.core import iam_actions, responses, router

    parameters = original(app, "_routing_params")(method, path, headers, body, query)
    service = router.detect_service(method, path, headers, parameters)
    request = (service, method, path, headers, body, parameters)
    where = responses.get_region(), responses.get_account_id()
    action = iam_actions.extract_iam_action(*request)
    items = iam_actions.dynamodb_transaction_checks(action, body, *where)
    resource = items[0][1] if items else iam_actions.extract_resource_arn(*request, *where)
    return action or _UNNAMED.get((method, path)) or f"{service}:{method} {path}", resource or "*"


def _route(faults: Faults, before: Route) -> Route:
    async def handle(path: str, method: str, body: bytes) -> Response | None:
        if path != PATH:
            return await before(path, method, body)
        match method:
            case "PUT":
                try:
                    faults.arm(parse(body))
                except ValueError as error:
                    return _json(400, {"error": str(error)})
                return _json(200, {})
            case "DELETE":
                faults.arm(None)
                return _json(200, {})
            case "GET":
                return _json(200, {"calls": [asdict(call) for call in faults.record()]})
            case _:
                return _json(405, {"error": f"{PATH} takes PUT, GET and DELETE"})

    return handle


def parse(body: bytes) -> Fault:
    """Raises ValueError naming the field that breaks a rule."""
    try:
        given = json.loads(body)
        fault = Fault(**given)
    except (ValueError, TypeError) as error:
        names = ", ".join(field.name for field in fields(Fault))
        raise ValueError(f"the body must be a JSON object of {names}: {error}") from error
    if fault.mode not in MODES:
        raise ValueError(f"mode: must be one of {', '.join(MODES)}")
    if fault.nth < 1:
        raise ValueError("nth: is counted from 1")
    return fault


def _kill(caller: Caller) -> None:
    if caller.kill is None:
        raise RuntimeError(f"{caller.name} is no function: it has no process to kill")
    caller.kill()


def _json(status: int, document: dict[str, Any]) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
