"""GET an address: over real HTTP on this machine, and never to where a workload has no business."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from selfright.adapters.http_probe import LONGEST_ANSWER, fetch
from selfright.domain.errors import RefusedError


class _Site(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - emptied by the fixture

    def do_GET(self) -> None:
        self.asked.append(self.path)
        match self.path.partition("?")[0]:
            case "/moved":
                self._answer(302, b"", Location="/")
            case "/huge":
                self._answer(200, b"x" * (LONGEST_ANSWER + 1000))
            case "/drip":
                self._answer(200, b"", length=1000)
                for _ in range(20):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            case "/silent":
                time.sleep(0.5)
            case "/broken":
                self.wfile.write(b"what?\r\n\r\n")
            case _:
                self._answer(503 if self.path == "/down" else 200, b"all is up")

    def _answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length or len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: pytest tells what failed."""


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as made:
        made.daemon_threads = True
        Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made.server_port
        made.shutdown()


@pytest.fixture
def site(server: int) -> str:
    _Site.asked.clear()
    return f"http://127.0.0.1:{server}"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("/", 200, "all is up"), ("/down", 503, "all is up"), ("/moved", 302, ""), ("", 200, "all is up")],
)
def test_an_answer_is_what_was_answered(site: str, path: str, status: int, body: str):
    heard = fetch(f"{site}{path}", 5, local=True)

    assert (heard.status, heard.body, heard.trouble) == (status, body, None)


def test_a_redirect_is_not_followed(site: str):
    fetch(f"{site}/moved?to=/", 5, local=True)

    assert _Site.asked == ["/moved?to=/"]


def test_an_answer_is_read_no_further_than_it_counts(site: str):
    assert len(fetch(f"{site}/huge", 5, local=True).body) == LONGEST_ANSWER


@pytest.mark.parametrize("path", ["/silent", "/drip"])
def test_time_is_up_whether_nothing_comes_or_a_little_all_the_time(site: str, path: str):
    began = time.monotonic()

    heard = fetch(f"{site}{path}", 0.15, local=True)

    assert heard.trouble == "no answer within 0.15 s"
    assert time.monotonic() - began < 0.45


def test_what_is_no_http_and_what_is_no_tls_is_no_answer(site: str):
    assert fetch(f"{site}/broken", 5, local=True).trouble == "no answer (BadStatusLine)"
    assert fetch(site.replace("http:", "https:"), 5, local=True).trouble == "no answer (SSLError)"


def test_nobody_there_is_no_answer():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    assert fetch(f"http://127.0.0.1:{port}", 5, local=True).trouble == "no answer (ConnectionRefusedError)"


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "127.0.0.1",
        "10.0.0.7",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.7",
    ],
)
def test_a_name_that_leads_into_a_private_network_is_never_asked(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 0))
    private = (family, socket.SOCK_STREAM, 6, "", (address, 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [public, private])

    with pytest.raises(RefusedError, match="is not on the public network"):
        fetch("https://shop.example/health", 5, local=False)


def test_outside_the_sandbox_nothing_but_https_is_asked(site: str):
    with pytest.raises(RefusedError, match="must be asked by https"):
        fetch(site, 5, local=False)


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch, site: str):
    """A name that leads elsewhere a moment later changes nothing."""
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]])
    resolve = socket.getaddrinfo

    def first_ours(host: Any, *args: Any, **kwargs: Any) -> Any:
        return next(answers) if host == "shop.example" else resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", first_ours)

    assert fetch(site.replace("127.0.0.1", "shop.example"), 5, local=True).status == 200
