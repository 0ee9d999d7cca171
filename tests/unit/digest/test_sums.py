"""Sums of parts are sums of the table, each part once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import pytest

from selfright.domain.digest import BUCKETS, XXH3, Hashing, KeyReader, PartDigest, digest_raw, keyed, merged
from selfright.domain.digest.sums import MODULUS, Fault, Problem, TableDigest
from selfright.domain.errors import BadInputError, ConflictError
from tests.unit.digest.exports import as_line

ITEMS = [as_line({"pk": {"S": f"k{number}"}}) for number in range(50)]
SECRET = b"a secret of 32 bytes, or thereby"


def digest(name: str, lines: Sequence[bytes], hashing: Hashing = XXH3) -> PartDigest:
    content = gzip.compress(b"".join(line + b"\n" for line in lines))
    return digest_raw(name, [content], KeyReader(["pk"]), hashing)


def table(*parts: PartDigest, hashing: Hashing = XXH3) -> TableDigest:
    return merged(parts, {part.part for part in parts}, hashing.name, BUCKETS)


def test_any_split_into_parts_has_the_same_sums():
    whole = table(digest("a", ITEMS))

    assert table(digest("a", ITEMS[::2]), digest("b", []), digest("c", ITEMS[1::2][::-1])) == whole
    assert whole.items == 50


def test_a_part_that_was_retried_counts_once():
    first, second = digest("a", ITEMS[:20]), digest("b", ITEMS[20:])

    assert table(first, second, first, first) == table(digest("a", ITEMS))


def test_a_retry_with_another_result_is_refused():
    with pytest.raises(ConflictError, match="a was digested twice, with different results"):
        table(digest("a", ITEMS), digest("a", ITEMS[1:]))


def test_a_part_without_digest_is_refused():
    with pytest.raises(ConflictError, match="1 of 2 parts have no digest, b among them"):
        merged([digest("a", ITEMS)], {"a", "b"}, XXH3.name, BUCKETS)


def test_a_part_of_another_export_is_refused():
    with pytest.raises(ConflictError, match="b is no part"):
        merged([digest("b", ITEMS)], {"a"}, XXH3.name, BUCKETS)


def test_digests_of_different_ways_never_add_up():
    with pytest.raises(ConflictError, match="another way"):
        merged([digest("a", ITEMS, keyed(SECRET))], {"a"}, XXH3.name, BUCKETS)
    with pytest.raises(ConflictError, match="say nothing of each other"):
        table(digest("a", ITEMS)).differing(table(digest("a", ITEMS, keyed(SECRET)), hashing=keyed(SECRET)))


def test_an_item_there_twice_is_not_an_item_not_there():
    # Given sums that XOR could not tell apart
    twice = table(digest("a", [*ITEMS, ITEMS[0], ITEMS[0]]))

    assert len(table(digest("a", ITEMS)).differing(twice)) == 1


def test_equal_sums_with_unequal_counts_are_not_equal():
    one, other = TableDigest("x", 1, [5, 0]), TableDigest("x", 2, [5, 0])

    assert one.differing(other) == {0, 1}


def test_a_part_digest_survives_json():
    before = digest("a", ITEMS)

    after = PartDigest.parse(json.loads(json.dumps(before.document())))

    assert after == before
    assert len(json.dumps(before.document())) < 90_000
    assert all(0 <= total < MODULUS for total in after.sums)


def test_problems_survive_json():
    before = PartDigest("a", "x", 0, [0], "", (Problem(Fault.BAD_MD5, "a", "is not it"),))

    assert PartDigest.parse(json.loads(json.dumps(before.document()))) == before


def test_without_a_key_there_is_one_sum():
    content = gzip.compress(b"".join(line + b"\n" for line in ITEMS))

    whole = digest_raw("a", [content])

    assert whole.sums == [sum(digest("a", ITEMS).sums) % MODULUS]


def test_keyed_sums_need_the_very_secret():
    ours, theirs = keyed(SECRET), keyed(SECRET[::-1])

    assert digest("a", ITEMS, ours) == digest("a", ITEMS, keyed(SECRET))
    assert digest("a", ITEMS, ours).sums != digest("a", ITEMS, theirs).sums
    assert ours.name != theirs.name
    assert SECRET.decode() not in ours.name


def test_a_seal_tells_equal_from_altered_and_nothing_else():
    hashing = keyed(SECRET)
    sealed = table(digest("a", ITEMS, hashing), hashing=hashing).seal(SECRET)

    assert table(digest("b", ITEMS[::-1], hashing), hashing=hashing).seal(SECRET) == sealed
    assert table(digest("a", ITEMS[1:], hashing), hashing=hashing).seal(SECRET) != sealed
    assert table(digest("a", ITEMS, hashing), hashing=hashing).seal(SECRET[::-1]) != sealed


@pytest.mark.parametrize("secret", [b"", b"x" * 15, b"x" * 65])
def test_a_secret_has_16_to_64_bytes(secret: bytes):
    with pytest.raises(BadInputError, match="16 to 64 bytes"):
        keyed(secret)
