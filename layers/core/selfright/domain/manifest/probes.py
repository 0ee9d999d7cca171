"""Questions that show whether the workload works: before and after a release, and of its health at any time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from selfright.domain.manifest.section import WEB_ADDRESS, Count, Key, Section, Text

# A room asks one after the other and has 60 s; what is left is for AWS's own calls and a cold start.
ASKED_WITHIN = 45

Document = Mapping[str, Any]
AskedSeconds = Annotated[float, Field(strict=True, ge=0.1, le=30)]


class When(StrEnum):
    """Before any request of a user goes to the new versions, or once all do."""

    BEFORE = "before"
    AFTER = "after"


class Invoke(Section):
    """Invoke a function and look at its answer. The event may be sent again at any time, so it must do no harm."""

    type: Literal["invoke"]
    function: Key = Field(description="Logical name.")
    event: Document = Field(default={})
    expect: Document = Field(default={}, description="Fields that its answer must have, with these values.")
    within_seconds: AskedSeconds = Field(default=10, description="For an answer, a cold start included.")


class Http(Section):
    """GET an address and look at the answer. A redirect is an answer, and is not followed."""

    type: Literal["http"]
    url: Annotated[str, Field(pattern=WEB_ADDRESS, max_length=2000)]
    status: Annotated[int, Field(strict=True, ge=100, le=599)] = 200
    contains: tuple[Text, ...] = Field(
        default=(), description="What the first 64 KiB of the answer must hold."
    )
    within_seconds: AskedSeconds = 10


class SmokeInvoke(Invoke):
    when: When = Field(
        default=When.BEFORE, description="before: the new version itself, by number; after: by the alias."
    )


class SmokeHttp(Http):
    when: Literal[When.AFTER] = Field(
        default=When.AFTER, description="Before, the old versions would answer."
    )


class SmokeWorkflow(Section):
    """Run a state machine; it must succeed. Its input may be used again at any time, so it must do no harm."""

    type: Literal["workflow"]
    state_machine: Key = Field(description="Logical name.")
    input: Document = Field(default={})
    within_seconds: Annotated[Count, Field(le=600)] = Field(
        default=60, description="From its start to its end."
    )
    when: Literal[When.AFTER] = Field(default=When.AFTER, description="Before, the old versions would run.")


Probe = Annotated[Invoke | Http, Field(discriminator="type")]
SmokeTest = Annotated[SmokeInvoke | SmokeHttp | SmokeWorkflow, Field(discriminator="type")]


class Health(Section):
    """Three tiers, each asked about more: does it run, can it serve, does what it depends on work."""

    liveness: Mapping[Key, Probe] = {}
    readiness: Mapping[Key, Probe] = {}
    deep: Mapping[Key, Probe] = {}

    @property
    def probes(self) -> dict[str, Invoke | Http]:
        """All of them as `tier.name`."""
        tiers = {"liveness": self.liveness, "readiness": self.readiness, "deep": self.deep}
        return {f"{tier}.{key}": probe for tier, probes in tiers.items() for key, probe in probes.items()}
