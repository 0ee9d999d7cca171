"""What a release shifts by aliases: functions, and state machines, whose new executions go where the alias says."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict

from selfright.domain.release.ramp import Rung
from selfright.domain.serving import AliasState

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

# Bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LARGEST_DEFINITION = 2**20


class Aliased(BaseModel):
    """One part of the set. `before` is what its alias was, `candidate` the version that is to go live."""

    model_config = FROZEN

    key: str
    alias: str
    before: AliasState
    candidate: str | None = None

    @property
    def changes(self) -> bool:
        return self.candidate is not None and self.candidate != self.before.version

    def at(self, rung: Rung | None) -> tuple[str, dict[str, float]]:
        """Version and weights that its alias has at a step of the ramp; None: before the first, and gone back."""
        if rung is None or not self.changes:
            return self.before.version, {}
        if rung.whole:
            return str(self.candidate), {}
        return self.before.version, {str(self.candidate): self.share(rung)}

    def share(self, rung: Rung) -> float:
        """As the alias takes it, 0 to 1."""
        return rung.share


class FunctionRelease(Aliased):
    """A Lambda function of the set.

    `back_to`: the version to go back to where it is another than before, see usecases/named_way_back.py.
    """

    function: str
    code_sha256: str | None = None  # of the candidate, base64
    went_back: tuple[str, ...] = ()  # versions that earlier releases brought and that were taken back
    back_to: str | None = None

    @property
    def left_live(self) -> str:
        """The version that is live once the release is completed."""
        return str(self.candidate) if self.changes else self.before.version

    def at(self, rung: Rung | None) -> tuple[str, dict[str, float]]:
        return (self.back_to, {}) if rung is None and self.back_to else super().at(rung)


class WorkflowRelease(Aliased):
    """A state machine of the set, by its name."""

    machine: str

    def share(self, rung: Rung) -> float:
        """In whole percent, of which a step of the ramp has at least one: the other side keeps at least one, too."""
        return min(max(round(rung.percent), 1), 99) / 100


def against_definition(content: bytes) -> str | None:
    """What speaks against a definition; None where nothing does. Step Functions looks more closely."""
    try:
        document = json.loads(content)
    except ValueError as error:
        return f"is not JSON: {error}"
    if not isinstance(document, dict) or not {"StartAt", "States"} <= document.keys():
        return "is no definition of a state machine: it lacks StartAt or States"
    return None
