"""Token buckets: the arithmetic of DynamoDB's capacity."""

from __future__ import annotations

from sandbox.emulator.dynamodb_buckets import BURST_SECONDS, Limit, TokenBucket


def test_a_new_bucket_holds_one_second_and_refills_with_time():
    bucket = TokenBucket(rate=5, now=100)
    assert bucket.has(5, now=100)
    bucket.take(5)
    assert not bucket.has(1, now=100)
    assert not bucket.has(1, now=100.1)
    assert bucket.has(1, now=100.2)


def test_unused_capacity_is_kept_for_five_minutes_and_no_longer():
    bucket = TokenBucket(rate=5, now=0)
    assert bucket.has(5 * BURST_SECONDS, now=100_000)
    bucket.take(5 * BURST_SECONDS)
    assert not bucket.has(1, now=100_000)


def test_more_than_the_bucket_can_hold_is_granted_when_it_is_full():
    bucket = TokenBucket(rate=1, now=0)
    assert not bucket.has(400, now=200)
    assert bucket.has(400, now=300)


def test_a_debt_is_paid_before_anything_is_granted():
    bucket = TokenBucket(rate=10, now=0)
    bucket.take(30)
    assert not bucket.has(1, now=2.0)
    assert bucket.has(1, now=2.1)


def test_lower_capacity_cuts_what_was_saved_and_higher_adds_nothing_at_once():
    bucket = TokenBucket(rate=10, now=0)
    bucket.has(0, now=1000)
    bucket.resize(1, now=1000)
    assert bucket.tokens == 1 * BURST_SECONDS
    bucket.take(300)
    bucket.resize(100, now=1000)
    assert not bucket.has(1, now=1000)
    assert bucket.has(100, now=1001)


def test_one_partition_has_no_burst_and_does_not_touch_its_neighbours():
    limit = Limit(partition_rate=10)
    limit.take(10, "hot", now=0)
    assert limit.partition_is_short_of(1, "hot", now=0)
    assert not limit.partition_is_short_of(1, "cold", now=0)
    assert limit.partition_is_short_of(1, "hot", now=0.05)
    assert not limit.partition_is_short_of(10, "hot", now=1000)
    limit.take(10, "hot", now=1000)
    assert limit.partition_is_short_of(1, "hot", now=1000)


def test_a_limit_without_a_rate_only_watches_partitions():
    limit = Limit(partition_rate=10)
    assert not limit.table_is_short_of(1_000_000, now=0)
    limit.configure(5, now=0)
    assert limit.table_is_short_of(6, now=0)
    limit.configure(None, now=0)
    assert not limit.table_is_short_of(6, now=0)
