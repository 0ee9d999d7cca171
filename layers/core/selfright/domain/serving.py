"""What a Lambda function serves and how it fails: its versions, its requests, its failures by who causes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import AwareDatetime, BaseModel, ConfigDict

# Lambda keeps so many concurrent executions for the functions that reserve none, and refuses a reservation that would
# leave fewer.
KEPT_UNRESERVED = 100

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class AliasState(BaseModel):
    """Which version an alias points to. `weights`: shares of other versions while a deployment is under way."""

    model_config = FROZEN

    version: str
    weights: Mapping[str, float] = {}
    revision: str


class Release(BaseModel):
    """One published version."""

    model_config = FROZEN

    version: str
    published_at: AwareDatetime


class FunctionState(BaseModel):
    """The function itself ($LATEST). `busy`: an update of it is under way."""

    model_config = FROZEN

    changed_at: AwareDatetime
    busy: bool


class ConcurrencyState(BaseModel):
    """Concurrent executions. `reserved`: of this function alone, None where it shares `account_unreserved`."""

    model_config = FROZEN

    reserved: int | None = None
    account_limit: int
    account_unreserved: int


class Tally(BaseModel):
    """Requests by minute: epoch seconds of its start to count. `refused`: for lack of concurrency."""

    model_config = FROZEN

    invocations: Mapping[float, float] = {}
    crashes: Mapping[float, float] = {}
    refused: Mapping[float, float] = {}

    @property
    def invoked(self) -> float:
        return sum(self.invocations.values())

    @property
    def crashed(self) -> float:
        return sum(self.crashes.values())


class Failure(BaseModel):
    """One line of a function's log at level ERROR.

    A line that names a `dependency` stands for one request that was answered with an error because of it; one that
    does not may accompany a crash, which Lambda counts itself.
    """

    model_config = FROZEN

    at: AwareDatetime
    version: str | None = None  # of the function, from the name of the log stream
    error: str
    dependency: str | None = None
    message: str = ""


class FailureLog(BaseModel):
    """Failures, oldest first; not `complete` where there were more than may be read."""

    model_config = FROZEN

    failures: tuple[Failure, ...] = ()
    complete: bool = True


class FlagPlace(BaseModel):
    """Where a feature flag stands in AppConfig, by names."""

    model_config = FROZEN

    application: str
    environment: str
    profile: str
    flag: str

    def __str__(self) -> str:
        return f"{self.application}:{self.environment}:{self.profile}:{self.flag}"

    @classmethod
    def parse(cls, text: str) -> FlagPlace:
        """The place that `str` wrote; none of its names may hold a colon."""
        return cls(**dict(zip(cls.model_fields, text.split(":"), strict=True)))


def failed_by_minute(tally: Tally, failures: Iterable[Failure]) -> dict[float, float]:
    """Crashes and answers with an error of each minute."""
    found = Counter(tally.crashes)
    for failure in failures:
        if failure.dependency:
            found[failure.at.timestamp() // 60 * 60] += 1
    return dict(found)


def percent_failed(tally: Tally, failures: Iterable[Failure]) -> float:
    """How many percent of the requests crashed or were answered with an error; 0 without a request."""
    failed = sum(failed_by_minute(tally, failures).values())
    return min(100.0 * failed / tally.invoked, 100.0) if tally.invoked else 0.0


def blamed(failures: Iterable[Failure]) -> dict[str, int]:
    """Failures by dependency, the most blamed first."""
    return dict(Counter(f.dependency for f in failures if f.dependency).most_common())
