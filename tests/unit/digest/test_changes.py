"""Keys written around T are read from an incremental export."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from selfright.domain.digest import MalformedLineError, changed_around
from selfright.domain.digest.canonical import canonical_key

T = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def record(key: str, after: timedelta) -> bytes:
    micros = int((T + after).timestamp() * 10**6)
    written = {"WriteTimestampMicros": {"N": str(micros)}}
    return (
        json.dumps({"Metadata": written, "Keys": {"pk": {"S": key}}, "NewImage": {"pk": {"S": key}}}).encode()
        + b"\n"
    )


def test_keys_written_within_a_minute_of_t_are_exempt():
    second = timedelta(seconds=1)
    lines = [
        record("long before", -61 * second),
        record("just before", -60 * second),
        record("at T", 0 * second),
        record("just after", 60 * second),
        record("long after", 61 * second),
    ]

    changed = changed_around([gzip.compress(b"".join(lines))], ["pk"], T)

    assert changed == {
        canonical_key({"pk": {"S": key}}, ["pk"]) for key in ("just before", "at T", "just after")
    }


@pytest.mark.parametrize(
    "line", [b'{"Keys":{"pk":{"S":"a"}}}\n', b'{"Metadata":{},"Keys":{"pk":{"S":"a"}}}\n']
)
def test_a_change_without_its_time_is_refused(line: bytes):
    with pytest.raises(MalformedLineError):
        changed_around([gzip.compress(line)], ["pk"], T)
