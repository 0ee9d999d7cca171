"""Read one part of an export: gzip chunks in, blocks of whole lines out. Memory does not grow with the part."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator

from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError

from selfright.domain.digest.sums import Fault

BLOCK = 64 * 1024  # bytes decompressed at once: spreads the cost of a call, and stays in a core's cache
LONGEST = 16 * 1024 * 1024  # bytes of a line; an item has at most 400 KB, and JSON may write a byte with six


class DamagedPartError(ValueError):
    """A part cannot be decompressed to its end. `kind` says how."""

    def __init__(self, kind: Fault, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class PartReader:
    """Iterate once over the lines of one part, a block of whole lines at a time.

    `items` counts the lines given out.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.items = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    @property
    def md5(self) -> str:
        """Of all gzip bytes, as a manifest writes it; reads what was left unread because of a fault."""
        for chunk in self._chunks:
            self._md5.update(chunk)
        return b64encode(self._md5.digest()).decode()

    def __iter__(self) -> Iterator[list[bytes]]:
        """Raises DamagedPartError; the whole lines before the damage have been given out by then."""
        rest = b""
        for data in self._decompressed():
            end = data.rfind(b"\n") + 1
            if not end:
                rest += data
                if len(rest) > LONGEST:
                    raise DamagedPartError(Fault.CORRUPT_GZIP, f"has a line of more than {LONGEST} bytes")
                continue
            whole = b"".join((rest, memoryview(data)[:end]))
            rest = data[end:]
            yield self._lines(whole)
        if rest:
            yield self._lines(rest + b"\n")

    def _lines(self, data: bytes) -> list[bytes]:
        lines = data.split(b"\n")
        lines.pop()
        self.items += len(lines)
        return lines

    def _decompressed(self) -> Iterator[bytes]:
        member = IgzipDecompressor(flag=DECOMP_GZIP)
        started = False
        for chunk in self._chunks:
            self._md5.update(chunk)
            left = chunk
            while left or (started and not member.needs_input and not member.eof):
                if member.eof:  # gzip files may be put one after another
                    member = IgzipDecompressor(flag=DECOMP_GZIP)
                try:
                    data = member.decompress(left, BLOCK)
                except IsalError as error:  # type: ignore[misc]  # its stub does not say that it is an exception
                    raise DamagedPartError(Fault.CORRUPT_GZIP, f"is no sound gzip file: {error}") from None
                started, left = True, member.unused_data if member.eof else b""
                if data:
                    yield data
        if started and not member.eof:
            raise DamagedPartError(Fault.TRUNCATED_GZIP, "ends in the middle of its gzip stream")
