"""Capacity as DynamoDB hands it out: so many units a second, unused ones kept for a while, and no hot keys.

Pure arithmetic over sandbox seconds; who asks for what is dynamodb_demand.py's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Developer Guide: DynamoDB "currently retains up to 5 minutes" of unused capacity.
BURST_SECONDS = 300

# A partition serves at most this much in a second, whatever the table has.
PARTITION_UNITS = {"Read": 3000.0, "Write": 1000.0}

# A full partition bucket is the same as none: forget them from this many on.
PARTITIONS_REMEMBERED = 4096


class TokenBucket:
    """Refills by `rate` units a second up to `seconds` of it; starts with one second's worth."""

    __slots__ = ("_at", "_seconds", "rate", "tokens")

    def __init__(self, rate: float, now: float, seconds: float = BURST_SECONDS) -> None:
        self.rate = rate
        self.tokens = rate
        self._seconds = seconds
        self._at = now

    @property
    def ceiling(self) -> float:
        return self.rate * self._seconds

    def resize(self, rate: float, now: float) -> None:
        """Refill at `rate` from now on. A lower rate cuts what was saved; a higher one adds nothing at once."""
        self._refill(now)
        self.rate = rate
        self.tokens = min(self.tokens, self.ceiling)

    def has(self, units: float, now: float) -> bool:
        """Whether `units` can be taken. More than the bucket can ever hold are granted when it is full."""
        self._refill(now)
        return self.tokens >= min(units, self.ceiling)

    def take(self, units: float) -> None:
        """Take `units` even where they are not there: a request may turn out dearer than it looked."""
        self.tokens -= units

    def _refill(self, now: float) -> None:
        if now > self._at:
            self.tokens = min(self.tokens + (now - self._at) * self.rate, self.ceiling)
            self._at = now


@dataclass
class Limit:
    """What one table or index allows in one direction. `rate` None: no limit but the partitions'."""

    partition_rate: float
    rate: float | None = None
    bucket: TokenBucket | None = None
    partitions: dict[str, TokenBucket] = field(default_factory=dict)

    def configure(self, rate: float | None, now: float) -> None:
        """Allow `rate` units a second from now on."""
        if rate == self.rate:
            return
        if rate is None:
            self.bucket = None
        elif self.bucket is None:
            self.bucket = TokenBucket(rate, now)
        else:
            self.bucket.resize(rate, now)
        self.rate = rate

    def table_is_short_of(self, units: float, now: float) -> bool:
        return self.bucket is not None and not self.bucket.has(units, now)

    def partition_is_short_of(self, units: float, key: str, now: float) -> bool:
        bucket = self.partitions.get(key)
        return bucket is not None and not bucket.has(units, now)

    def take(self, units: float, key: str | None, now: float) -> None:
        if self.bucket is not None:
            self.bucket.take(units)
        if key is None:
            return
        bucket = self.partitions.get(key)
        if bucket is None:
            if len(self.partitions) >= PARTITIONS_REMEMBERED:
                self._forget_idle_partitions(now)
            bucket = self.partitions[key] = TokenBucket(self.partition_rate, now, seconds=1)
        bucket.take(units)

    def _forget_idle_partitions(self, now: float) -> None:
        self.partitions = {
            key: bucket for key, bucket in self.partitions.items() if not bucket.has(bucket.ceiling, now)
        }
