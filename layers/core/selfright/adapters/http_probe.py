"""GET an address of the manifest, bounded in time and size, and never anywhere but to the public network."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from http.client import HTTPException
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

    if parts.scheme != "https" and not local:
        raise RefusedError(f"{host} must be asked by https")
    try:
        addresses = _addresses(host, local=local)
        connection = _connection(parts.scheme, host, addresses, parts.port, deadline)
        try:
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request("GET", path, headers={"Host": parts.netloc, "User-Agent": "selfright"})
            connection.sock.settimeout(_left(deadline))
            answer = connection.getresponse()
            body = _read(answer, connection, deadline)
        finally:
            connection.close()
    except TimeoutError:
        return Heard(seconds=took(), trouble=f"no answer within {seconds:g} s")
    except (OSError, HTTPException) as error:
        return Heard(seconds=took(), trouble=f"no answer ({type(error).__name__})")
    return Heard(seconds=took(), status=answer.status, body=body.decode(errors="replace"))


def _addresses(host: str, *, local: bool) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        if not (ip.is_global and not ip.is_multicast) and not (local and ip.is_loopback):
            raise RefusedError(f"{host} leads to {address}, which is not on the public network")
    return addresses


def _connection(
    scheme: str, host: str, addresses: list[str], port: int | None, deadline: float
) -> http.client.HTTPConnection:
    """To the first that takes it of the addresses that were looked at, as `host`."""
    secure = scheme == "https"
    port = port or (http.client.HTTPS_PORT if secure else http.client.HTTP_PORT)
    sock: socket.socket = _open(addresses, port, deadline)
    if secure:
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
    made = http.client.HTTPConnection(host, port)
    made.sock = sock
    return made


def _open(addresses: list[str], port: int, deadline: float) -> socket.socket:
    """Raises the last address's OSError."""
    last: OSError = TimeoutError()
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=_left(deadline))
        except OSError as error:
            last = error
    raise last


def _read(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """As much as counts. The socket's timeout is for each wait, so it shrinks with what is left."""
    read = bytearray()
    while len(read) < LONGEST_ANSWER:
        left = _left(deadline)
        if connection.sock:  # http.client lets go of it where the server closes after its answer
            connection.sock.settimeout(left)
        chunk = answer.read1(min(_CHUNK, LONGEST_ANSWER - len(read)))
        if not chunk:
            break
        read += chunk
    return bytes(read)


def _left(deadline: float) -> float:
    """Seconds. Raises TimeoutError."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
