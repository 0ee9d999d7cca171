"""AWS at the other end of a loopback socket: fixed answers at no cost, so that what is measured is our side alone.

It serves from the process of the benchmark; the measured code runs in a child, whose CPU time is its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, Any]
PUBLISHED = (
    b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"  # SNS: XML
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: StubAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if target := self.headers.get("X-Amz-Target"):
            self._answer(target.rpartition(".")[2], body)
        elif body.startswith(b"Action=Publish&"):
            self.server.asked.append("Publish")
            self._send(200, "text/xml", PUBLISHED)
        else:
            self._answer("StartConfigurationSession", body, 201)

    def do_GET(self) -> None:
        self._answer("GetLatestConfiguration", b"")

    def _answer(self, operation: str, request: bytes, status: int = 200) -> None:
        self.server.asked.append(operation)
        answer = self.server.answers.get(operation, {})
        if operation == "Query":  # the items of the partition that is asked for
            asked = json.loads(request)["ExpressionAttributeValues"][":pk"]
            answer = {"Items": [item for item in answer.get("Items", ()) if item["PK"] == asked]}
        if operation == "GetMetricData":  # one series, for whatever is asked
            ids = (query["Id"] for query in json.loads(request)["MetricDataQueries"])
            answer = {
                "MetricDataResults": [{"Id": i, "Label": i, "StatusCode": "Complete", **answer} for i in ids]
            }
        body = json.dumps(answer, default=datetime.timestamp).encode()
        self._send(status, "application/x-amz-json-1.0", body)

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


class StubAws(ThreadingHTTPServer):
    """`answers` by operation; one that is not there is answered with {}. `asked`: what came in, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Answers = {}
        self.asked: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_REGION": "eu-central-1",
        }


@contextmanager
def stub_aws() -> Iterator[StubAws]:
    """A stub that answers until the block ends."""
    server = StubAws()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
