"""What can go wrong in an analysis. A caller's mistake is a 400, a dependency's a 503, the rest crashes.

WorkloadError
├── BadRequestError          the request breaks a rule; the caller can mend it
├── ConfigurationError       a setting is missing or invalid; nothing can be answered: a crash
└── DependencyError          something that we call did not deliver; worth another try later
    ├── ModelUnavailableError    Bedrock
    ├── RetrievalFailedError     Athena
    └── ResultNotStoredError     DynamoDB; `throttled` where the table had no capacity left
"""

from __future__ import annotations


class WorkloadError(Exception):
    """Root of every error that this application raises on purpose."""


class BadRequestError(WorkloadError):
    """The request breaks a rule; the caller can mend it."""


class ConfigurationError(WorkloadError):
    """A setting is missing or invalid."""


class DependencyError(WorkloadError):
    """Something that we call did not deliver. `dependency`: what it is, as logs and runbooks name it."""

    dependency = "unknown"
    throttled = False


class ModelUnavailableError(DependencyError):
    """Bedrock did not answer."""

    dependency = "bedrock"


class RetrievalFailedError(DependencyError):
    """Athena did not deliver the past awards."""

    dependency = "athena"


class ResultNotStoredError(DependencyError):
    """The analysis could not be written down, so there is nothing to give the user a link to."""

    dependency = "dynamodb"

    def __init__(self, message: str, *, throttled: bool) -> None:
        super().__init__(message)
        self.throttled = throttled
