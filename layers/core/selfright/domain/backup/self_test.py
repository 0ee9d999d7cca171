"""Before a comparison is believed: does it find a fault that is put in front of it, in this run, with these items?"""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence

from selfright.domain.digest import Manifest, Part, Verdict, compare

LINES = 1000  # as many of the copy's items are enough to see that each kind of fault is found
_NAME = "self-test.json.gz"


def faults_missed(lines: Sequence[bytes], key: Sequence[str]) -> tuple[str, ...]:
    """Kinds of fault that the comparison does not find among these lines of an export. Needs one line at least."""
    first = json.loads(lines[0])
    altered = json.dumps({"Item": {**first["Item"], "selfright_altered": {"NULL": True}}}).encode()
    faults = {
        "drop": lines[1:],
        "alter": [altered, *lines[1:]],
        "duplicate": [*lines, lines[0]],
    }
    return tuple(name for name, wrong in faults.items() if not _found(lines, wrong, key))


def _found(lines: Sequence[bytes], wrong: Sequence[bytes], key: Sequence[str]) -> bool:
    """The one fault, and nothing besides."""
    found = compare(_Lines(lines), _Lines(wrong), key)
    return found.verdict is Verdict.DIFFERENT and len(found.differences) == 1


class _Lines:
    """An export of one part that is whole, by its manifest."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._content = gzip.compress(b"".join(line + b"\n" for line in lines), compresslevel=1)
        md5 = b64encode(hashlib.md5(self._content, usedforsecurity=False).digest()).decode()
        part = {"itemCount": len(lines), "md5Checksum": md5, "dataFileS3Key": f"data/{_NAME}"}
        self.manifest = Manifest((Part.model_validate(part),), ())

    @property
    def present(self) -> Collection[str]:
        return (_NAME,)

    def read(self, part: str) -> Iterable[bytes]:
        return (self._content,) if part == _NAME else ()
