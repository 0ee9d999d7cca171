"""GET an address of the manifest, bounded in time and size, and never anywhere but to the public network."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from selfright.domain.errors import RefusedError
from selfright.domain.release.probing import Heard

LONGEST_ANSWER = 64 * 1024  # bytes
_CHUNK = 8192


def fetch(url: str, seconds: float, *, local: bool) -> Heard:
    """The answer, whatever its status; redirects are not followed. `local`: this very machine may be asked.

    Raises RefusedError where the address may not be asked: a name can lead into a private network, or to the address
    at which instances get their credentials, so it is looked at after it was resolved, and that one is connected to.
    """
    parts = urlsplit(url)
    host, began = str(parts.hostname), time.monotonic()
    deadline = began + seconds

    def took() -> float:
        return time.monotonic() - began

    try:
        address = _address(host, parts.port or (443 if parts.scheme == "https" else 80), local=local)
        if parts.scheme != "https" and not local:
            raise RefusedError(f"{host} must be asked by https")
        connection = _connection(parts.scheme, host, address, seconds)
        try:
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request("GET", path, headers={"Host": parts.netloc, "User-Agent": "selfright"})
            answer = connection.getresponse()
            body = _read(answer, connection, deadline)
        finally:
            connection.close()
    except TimeoutError:
        return Heard(seconds=took(), trouble=f"no answer within {seconds:g} s")
    except (OSError, HTTPException) as error:
        return Heard(seconds=took(), trouble=f"no answer ({type(error).__name__})")
    return Heard(seconds=took(), status=answer.status, body=body.decode(errors="replace"))


def _address(host: str, port: int, *, local: bool) -> tuple[str, int]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        if not (ip.is_global and not ip.is_multicast) and not (local and ip.is_loopback):
            raise RefusedError(f"{host} leads to {address}, which is not on the public network")
    return addresses[0], port


def _connection(
    scheme: str, host: str, address: tuple[str, int], seconds: float
) -> http.client.HTTPConnection:
    """To the address that was looked at, as `host`."""
    made = http.client.HTTPConnection(host, address[1], timeout=seconds)
    sock: Any = socket.create_connection(address, timeout=seconds)
    if scheme == "https":
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
    made.sock = sock
    return made


def _read(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """As much as counts. The socket's timeout is for each wait, so it shrinks with what is left."""
    read = bytearray()
    while len(read) < LONGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock:  # http.client lets go of it where the server closes after its answer
            connection.sock.settimeout(left)
        chunk = answer.read1(min(_CHUNK, LONGEST_ANSWER - len(read)))
        if not chunk:
            break
        read += chunk
    return bytes(read)
