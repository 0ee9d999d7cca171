"""Parts are read to their end or said to be damaged, in memory that does not grow with them."""

from __future__ import annotations

import gzip

import pytest

from selfright.domain.digest import parts
from selfright.domain.digest.parts import DamagedPartError, PartReader
from tests.unit.digest.exports import md5

LINES = [b"%d %s" % (number, b"x" * (number % 700)) for number in range(2000)]
CONTENT = gzip.compress(b"".join(line + b"\n" for line in LINES))


def read(content: bytes, chunk: int = 4096) -> list[bytes]:
    reader = PartReader(content[at : at + chunk] for at in range(0, len(content), chunk))
    found = [line for block in reader for line in block]
    assert reader.items == len(found)
    assert reader.md5 == md5(content)
    return found


@pytest.mark.parametrize("chunk", [1, 7, 1000, 10**7])
def test_lines_do_not_depend_on_how_bytes_arrive(chunk: int):
    assert read(CONTENT, chunk) == LINES


def test_members_of_a_gzip_file_follow_each_other_also_inside_a_line():
    assert read(gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n")) == [b"a", b"bc", b"d"]


def test_the_last_line_may_lack_its_newline():
    assert read(gzip.compress(b"a\nb")) == [b"a", b"b"]


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["no bytes", "gzip of nothing"])
def test_an_empty_file_is_legal(content: bytes):
    assert read(content) == []


@pytest.mark.parametrize("cut", [1, 8, 100, len(CONTENT) // 2, len(CONTENT) - 1])
def test_a_file_that_ends_too_soon_is_told(cut: int):
    reader = PartReader([CONTENT[:-cut]])

    with pytest.raises(DamagedPartError) as raised:
        list(reader)

    assert raised.value.kind == "truncated_gzip"
    assert reader.md5 == md5(CONTENT[:-cut])


@pytest.mark.parametrize("place", [0, len(CONTENT) // 2, -6, -2], ids=["magic", "inside", "CRC", "size"])
def test_a_flipped_bit_is_told(place: int):
    altered = bytearray(CONTENT)
    altered[place] ^= 1
    reader = PartReader([bytes(altered), b"and more"])

    with pytest.raises(DamagedPartError) as raised:
        list(reader)

    assert raised.value.kind == "corrupt_gzip"
    assert reader.md5 == md5(bytes(altered) + b"and more")  # also what came after the damage


def test_a_line_without_end_is_refused_before_memory_is_full(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parts, "LONGEST", 10**6)

    with pytest.raises(DamagedPartError, match="more than 1000000 bytes"):
        list(PartReader([gzip.compress(b"x" * 10**7)]))


def test_a_gzip_bomb_comes_in_blocks():
    blocks = list(PartReader([gzip.compress((b"0" * 99 + b"\n") * 10**5)]))

    assert sum(len(block) for block in blocks) == 10**5
    assert max(100 * len(block) for block in blocks) <= parts.BLOCK + 100
