"""Write DynamoDB exports as AWS lays them out, for benchmarks: UUID keys, English-like text, a nested map, a set.

Items resemble the reference workload's `analysis-results`; gzip makes about 2.4 times less of them at 1 KB.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isal import igzip

LETTERS = "etaoinshrdlucmfwypvbgkqjxz"


def write_export(folder: Path, parts: int, part_bytes: int, item_bytes: int, seed: int = 1) -> int:
    """An export of `parts` files with about `part_bytes` each before gzip; returns its bytes before gzip."""
    dice = random.Random(seed)  # noqa: S311 - content, no secret
    words = ["".join(dice.choices(LETTERS, k=dice.randint(2, 10))) for _ in range(4000)]
    home = folder / "AWSDynamoDB" / f"0176388480{seed:04}-bench"
    (home / "data").mkdir(parents=True)
    written, listed, items = 0, [], 0
    for number in range(parts):
        file = home / "data" / f"part{number:04}.json.gz"
        size = lines = 0
        with igzip.open(file, "wb", 2) as out:  # type: ignore[no-untyped-call]
            while size < part_bytes:
                item = {"Item": _item(dice, words, item_bytes)}
                size += out.write(json.dumps(item, separators=(",", ":")).encode() + b"\n")
                lines += 1
        md5 = b64encode(hashlib.md5(file.read_bytes(), usedforsecurity=False).digest()).decode()
        key = file.relative_to(folder).as_posix()
        listed.append({"itemCount": lines, "md5Checksum": md5, "etag": "bench-1", "dataFileS3Key": key})
        written, items = written + size, items + lines
    (home / "manifest-files.json").write_text("".join(json.dumps(line) + "\n" for line in listed))
    summary = {"version": "2020-06-30", "itemCount": items, "outputFormat": "DYNAMODB_JSON"}
    (home / "manifest-summary.json").write_text(json.dumps(summary))
    return written


def _item(dice: random.Random, words: list[str], item_bytes: int) -> dict[str, Any]:
    day, second = dice.randint(1, 28), dice.randint(0, 86399)
    item: dict[str, Any] = {
        "analysisId": {"S": str(uuid.UUID(int=dice.getrandbits(128)))},
        "createdAt": {"S": f"2026-11-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"},
        "done": {"BOOL": dice.random() < 0.5},
        "model": {"M": {"id": {"S": "anthropic.claude"}, "latency": {"N": str(dice.randint(100, 9000))}}},
        "score": {"N": str(dice.randint(0, 10**6) / 1000)},
        "tags": {"SS": dice.sample(words, 3)},
    }
    item["text"] = {"S": " ".join(_text(dice, words, item_bytes - len(json.dumps(item))))}
    return dict(dice.sample(list(item.items()), len(item)))  # AWS promises no order of attributes


def _text(dice: random.Random, words: list[str], length: int) -> Iterator[str]:
    while length > 0:
        word = dice.choice(words)
        length -= len(word) + 1
        yield word
