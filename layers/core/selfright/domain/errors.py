"""Everything that can go wrong, as one tree. Names are the contract with `ErrorEquals` in statemachines/.

SelfrightError
├── BadInputError           somebody handed in something that breaks a rule: field, rule
│   └── ManifestError       ... in a workload or runbook file: file, field, rule
├── NotFoundError           the thing named does not exist
├── ConflictError           a conditional write lost: somebody else was there first
├── SourceDownError         a fact could not be read; guards treat it as stop
│   ├── ThrottledError      ... because AWS asked us to slow down; safe to repeat
│   ├── BusyError           ... because the resource is being changed right now; ask again later
│   └── ChannelDownError    a way to reach people did not take a notice; another one did
│       └── NobodyToldError ... and no other one did
├── RefusedError            an action must not be carried out: reason
└── DriftedError            a resource is neither as it was before nor as we left it
"""

from __future__ import annotations


class SelfrightError(Exception):
    """Root of every error this package raises on purpose."""


class BadInputError(SelfrightError):
    """Input breaks a rule. `field` is a dotted path, `rule` is one sentence saying what is allowed."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class ManifestError(BadInputError):
    """A workload or runbook file breaks a rule."""

    def __init__(self, file: str, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.args = (f"{file}: {field}: {rule}",)
        self.file = file


class NotFoundError(SelfrightError):
    """The thing named does not exist."""


class ConflictError(SelfrightError):
    """A conditional write lost: somebody else was there first."""


class SourceDownError(SelfrightError):
    """A fact could not be read. Guards treat this as stop, never as fine."""


class ThrottledError(SourceDownError):
    """AWS asked us to slow down; the call changed nothing and may be repeated."""


class BusyError(SourceDownError):
    """The resource is being changed right now; its values mean nothing until that is over."""


class ChannelDownError(SourceDownError):
    """A way to reach people did not take a notice. `unanswered` sends may have arrived all the same."""

    def __init__(self, message: str, *, unanswered: int = 0) -> None:
        super().__init__(message)
        self.unanswered = unanswered


class NobodyToldError(ChannelDownError):
    """No way to reach people took the notice."""


class RefusedError(SelfrightError):
    """An action must not be carried out, for a reason people can read."""


class DriftedError(SelfrightError):
    """A resource is neither as it was before our change nor as we left it: somebody else changed it."""
