"""Lambda functions, their logs and flags in memory; changes are in force at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from selfright.domain.errors import BusyError, NotFoundError
from selfright.domain.serving import (
    AliasState,
    ConcurrencyState,
    Failure,
    FailureLog,
    FlagPlace,
    FunctionState,
    Release,
    Tally,
)


class FakeFunctions:
    """One function with one alias; `served` holds its minutes, by version. `changes` lists what was done to it."""

    def __init__(self, name: str, alias: AliasState, releases: Sequence[Release]) -> None:
        self.name, self.now, self.published = name, alias, list(releases)
        self.busy = False
        self.limits = ConcurrencyState(reserved=5, account_limit=1000, account_unreserved=900)
        self.served: dict[str, Tally] = {}
        self.changes: list[tuple[str, str | int | None]] = []

    def state(self, function: str) -> FunctionState:
        self._known(function)
        return FunctionState(changed_at=max(r.published_at for r in self.published), busy=self.busy)

    def alias(self, function: str, alias: str) -> AliasState:
        self._known(function)
        if alias != "live":
            raise NotFoundError(f"alias {alias} of {function} does not exist")
        return self.now

    def releases(self, function: str) -> Sequence[Release]:
        self._known(function)
        return sorted(self.published, key=lambda r: int(r.version), reverse=True)

    def serve(
        self, version: str, minute: datetime, invocations: float, crashes: float = 0, refused: float = 0
    ) -> None:
        """Add one minute of requests that a version executed."""
        at, old = minute.timestamp() // 60 * 60, self.served.get(version, Tally())
        self.served[version] = Tally(
            invocations={**old.invocations, at: invocations},
            crashes={**old.crashes, at: crashes},
            refused={**old.refused, at: refused},
        )

    def tally(self, function: str, start: datetime, end: datetime) -> Tally:
        self._known(function)
        parts = [_between(tally, start, end) for tally in self.served.values()]
        return Tally(
            invocations=_sum([p.invocations for p in parts]),
            crashes=_sum([p.crashes for p in parts]),
            refused=_sum([p.refused for p in parts]),
        )

    def tallies(
        self, function: str, alias: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Tally]:
        self.alias(function, alias)
        return {v: _between(self.served.get(v, Tally()), start, end) for v in versions}

    def concurrency(self, function: str) -> ConcurrencyState:
        self._known(function)
        return self.limits

    def point(self, function: str, alias: str, version: str, revision: str) -> None:
        if revision != self.alias(function, alias).revision:
            raise BusyError("the revision is not the present one")
        self.now = AliasState(version=version, revision=f"{revision}+")
        self.changes.append(("version", version))

    def reserve(self, function: str, units: int | None) -> None:
        self._known(function)
        freed = (self.limits.reserved or 0) - (units or 0)
        self.limits = self.limits.model_copy(
            update={"reserved": units, "account_unreserved": self.limits.account_unreserved + freed}
        )
        self.changes.append(("reserved", units))

    def _known(self, function: str) -> None:
        if function != self.name:
            raise NotFoundError(f"function {function} does not exist")


class FakeLogs:
    def __init__(self) -> None:
        self.lines: list[Failure] = []
        self.complete = True

    def failures(self, function: str, start: datetime, end: datetime) -> FailureLog:
        del function
        found = tuple(f for f in self.lines if start <= f.at < end)
        return FailureLog(failures=found, complete=self.complete)


class FakeFlagBoard:
    def __init__(self, *off: FlagPlace) -> None:
        self.flags = dict.fromkeys(off, False)
        self.changes: list[tuple[str, bool]] = []

    def read(self, place: FlagPlace) -> bool:
        if place not in self.flags:
            raise NotFoundError(f"flag {place} does not exist")
        return self.flags[place]

    def throw(self, place: FlagPlace, value: bool) -> None:
        self.read(place)
        self.flags[place] = value
        self.changes.append((place.flag, value))


def _between(tally: Tally, start: datetime, end: datetime) -> Tally:
    first, last = start.timestamp() // 60 * 60, end.timestamp()
    parts = {
        name: {at: n for at, n in getattr(tally, name).items() if first <= at < last}
        for name in Tally.model_fields
    }
    return Tally(**parts)


def _sum(parts: Sequence[Mapping[float, float]]) -> dict[float, float]:
    minutes = sorted({at for part in parts for at in part})
    return {at: sum(part.get(at, 0.0) for part in parts) for at in minutes}
