"""The services that reach people, played on this machine: Slack's incoming webhooks, PagerDuty's Events API v2 and a
webhook of somebody's own.

Each takes what the real one takes and refuses what the real one refuses, keeps what came, and can be told to be in a
bad mood.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from sandbox.server import Server
from selfright.domain.manifest import ChannelType, SecretChannel, Workload

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
PATHS = {
    "/services/T0SELF/B0RIGHT/localhook": ChannelType.SLACK,
    "/v2/enqueue": ChannelType.PAGERDUTY,
    "/hooks/of-somebody": ChannelType.WEBHOOK,
}
STALLS_AT_MOST = 30.0  # seconds


class Mood(StrEnum):
    WELL = "well"
    DOWN = "down"  # answers that it cannot now
    BUSY = "busy"  # answers that it was asked too often
    REFUSING = "refusing"  # answers that the address or key is not known any more
    MOVED = "moved"  # answers that it is elsewhere
    DEAF = "deaf"  # hangs up without a word
    SLOW = "slow"  # takes what comes and then says nothing for a long time


class Answer(NamedTuple):
    status: int
    text: str


class Collector:
    """Answers on a free port while the `with` block runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: list[tuple[ChannelType, dict[str, Any]]] = []
        self._asked: list[ChannelType] = []
        self._moods: dict[ChannelType, Mood] = {}
        self._stalled = threading.Event()  # set when those who stall may go on
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._stalled.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def be(self, service: ChannelType, mood: Mood) -> None:
        """From now on."""
        with self._lock:
            self._moods[service] = mood

    def forget(self) -> None:
        """What came, and every mood."""
        with self._lock:
            self._taken.clear()
            self._asked.clear()
            self._moods.clear()
            self._stalled.set()
            self._stalled = threading.Event()

    def taken(self, service: ChannelType) -> list[dict[str, Any]]:
        """What a service took, oldest first."""
        with self._lock:
            return [body for of, body in self._taken if of is service]

    def all_taken(self) -> list[tuple[ChannelType, dict[str, Any]]]:
        """What all of them took, oldest first."""
        with self._lock:
            return list(self._taken)

    def asked(self, service: ChannelType) -> int:
        """How often it was asked to take something."""
        with self._lock:
            return self._asked.count(service)

    def alerts(self) -> dict[str, str]:
        """PagerDuty's alerts, by key: the last action; an event of a known key is no new alert."""
        return {e["dedup_key"]: e["event_action"] for e in self.taken(ChannelType.PAGERDUTY)}

    def secret(self, service: ChannelType) -> dict[str, str]:
        """What Secrets Manager has to hold for notices to come here."""
        (path,) = (path for path, of in PATHS.items() if of is service)
        url = {"url": f"http://127.0.0.1:{self._server.server_port}{path}"}
        return {**url, "routing_key": ROUTING_KEY} if service is ChannelType.PAGERDUTY else url

    def secrets(self) -> dict[ChannelType, dict[str, str]]:
        return {service: self.secret(service) for service in PATHS.values()}

    @contextlib.contextmanager
    def serving(self, server: Server, workload: Workload) -> Iterator[Self]:
        """All channels of a workload in that sandbox lead here."""
        secrets = server.client("secretsmanager")
        ways = [w for w in workload.notifications.channels.values() if isinstance(w, SecretChannel)]
        for way in ways:
            secrets.create_secret(Name=way.secret, SecretString=json.dumps(self.secret(way.type)))
        try:
            yield self
        finally:
            for way in ways:
                secrets.delete_secret(SecretId=way.secret, ForceDeleteWithoutRecovery=True)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if (answer := collector._answer(self.path, body)) is None:
                    self.close_connection = True
                    return
                text = answer.text.encode()
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(text)))
                if answer.status == HTTPStatus.FOUND:
                    self.send_header("Location", "/elsewhere")
                with contextlib.suppress(ConnectionError):  # who asked has lost patience
                    self.end_headers()
                    self.wfile.write(text)

            def do_GET(self) -> None:
                """As any page: what is answered here says nothing of a notice."""
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing: stderr is the command line's."""

        return Handler

    def _answer(self, path: str, raw: bytes) -> Answer | None:
        """None: hang up."""
        if (service := PATHS.get(path)) is None:
            return Answer(404, "no_service")
        with self._lock:
            self._asked.append(service)
            mood, stalled = self._moods.get(service, Mood.WELL), self._stalled
        match mood:
            case Mood.DOWN:
                return Answer(503, "")
            case Mood.BUSY:
                return Answer(429, "")
            case Mood.MOVED:
                return Answer(302, "")
            case Mood.DEAF:
                return None
            case Mood.REFUSING:
                return _REFUSALS[service]
        answer, body = _judged(service, raw)
        if body is not None:
            with self._lock:
                self._taken.append((service, body))
        if mood is Mood.SLOW:
            stalled.wait(STALLS_AT_MOST)
        return answer


_REFUSALS = {
    ChannelType.SLACK: Answer(404, "no_service"),
    ChannelType.PAGERDUTY: Answer(
        400, json.dumps({"status": "invalid event", "errors": [f"Invalid routing key: {ROUTING_KEY}"]})
    ),
    ChannelType.WEBHOOK: Answer(410, "Cannot POST /hooks/of-somebody"),
}


def _judged(service: ChannelType, raw: bytes) -> tuple[Answer, dict[str, Any] | None]:
    """The service's answer, and the body where it took it."""
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    judge, taken = _JUDGES[service]
    answer = judge(body) if isinstance(body, dict) else judge({})
    return (answer, None) if answer else (taken(body), body)


def _slack(body: dict[str, Any]) -> Answer | None:
    blocks = body.get("blocks", [])
    if not body:
        return Answer(400, "invalid_payload")
    if not blocks and not body.get("text"):
        return Answer(400, "no_text")
    if len(blocks) > 50 or not all(_fits_slack(block) for block in blocks):  # noqa: PLR2004
        return Answer(400, "invalid_blocks")
    return None


def _fits_slack(block: dict[str, Any]) -> bool:
    """Limits of https://docs.slack.dev/reference/block-kit/blocks"""
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": str(text)}}:
            return 1 <= len(text) <= 150  # noqa: PLR2004
        case {"type": "section", "text": {"type": "mrkdwn" | "plain_text", "text": str(text)}}:
            return 1 <= len(text) <= 3000  # noqa: PLR2004
        case {"type": "context", "elements": [_, *_] as elements}:
            return len(elements) <= 10 and all(1 <= len(e["text"]) <= 3000 for e in elements)  # noqa: PLR2004
        case _:
            return False


def _pagerduty(body: dict[str, Any]) -> Answer | None:
    """Rules of https://developer.pagerduty.com/docs/send-alert-event"""
    payload, action = body.get("payload") or {}, body.get("event_action")
    severities = {"critical", "error", "warning", "info"}
    key, dedup_key, summary = (
        body.get("routing_key", ""),
        body.get("dedup_key", ""),
        payload.get("summary", ""),
    )
    broken = {
        "Length of 'routing_key' is incorrect (should be 32 characters)": len(key) != 32,  # noqa: PLR2004
        "Invalid routing key": key != ROUTING_KEY,
        "'event_action' is invalid": action not in {"trigger", "acknowledge", "resolve"},
        "'dedup_key' is missing or blank": action != "trigger" and not dedup_key,
        "'dedup_key' is too long": len(dedup_key) > 255,  # noqa: PLR2004
        "'payload.summary' is missing or blank": action == "trigger" and not summary,
        "'payload.summary' is too long": len(summary) > 1024,  # noqa: PLR2004
        "'payload.source' is missing or blank": action == "trigger" and not payload.get("source"),
        "'payload.severity' is invalid": action == "trigger" and payload.get("severity") not in severities,
    }
    if not (errors := [rule for rule, is_broken in broken.items() if is_broken]):
        return None
    message = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return Answer(400, json.dumps(message))


def _webhook(body: dict[str, Any]) -> Answer | None:
    return None if body else Answer(400, "")


_JUDGES: dict[
    ChannelType,
    tuple[Callable[[dict[str, Any]], Answer | None], Callable[[dict[str, Any]], Answer]],
] = {
    ChannelType.SLACK: (_slack, lambda _: Answer(200, "ok")),
    ChannelType.PAGERDUTY: (
        _pagerduty,
        lambda body: Answer(
            202,
            json.dumps({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}),
        ),
    ),
    ChannelType.WEBHOOK: (_webhook, lambda _: Answer(204, "")),
}
