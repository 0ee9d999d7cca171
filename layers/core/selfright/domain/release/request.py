"""A release that somebody asks for: what is to go live, how, and who answers for it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Environment, Strategy, Workload
from selfright.domain.release.ramp import ramp, too_long

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid", str_strip_whitespace=True)

# Also the name of its execution, of which Step Functions allows 80 characters.
ReleaseId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")]
Who = Annotated[str, Field(min_length=1, max_length=200)]
Why = Annotated[str, Field(min_length=1, max_length=500)]


class CodeArtifact(BaseModel):
    """A file in S3: a deployment package, a configuration, or a definition of a state machine.

    `sha256` (hex) is of the file, so that nothing else can be released.
    """

    model_config = FROZEN

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{2,62}$")
    key: str = Field(min_length=1, max_length=1024)
    object_version: str | None = None
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def place(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class StackTemplate(CodeArtifact):
    """The template that the workload's stack is to have. A parameter that is not named keeps its value."""

    parameters: dict[str, str] = {}


class BreakGlass(BaseModel):
    """Go although a freeze, a window, an old backup, a red alarm or bad health says stop.

    It is on record and told to people.
    """

    model_config = FROZEN

    reason: Why
    approver: Who


class ReleaseRequest(BaseModel):
    """`artifacts` by logical name: these functions get that code, and the others stay as they are.

    `configurations`, and `workflows` with definitions of state machines, likewise. Without any of them, every function
    of the set is released with the code and settings that it has ($LATEST).
    """

    model_config = FROZEN

    release_id: ReleaseId
    workload: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")
    environment: Environment
    commit: str = Field(pattern=r"^[0-9a-f]{7,64}$")
    committed_at: AwareDatetime
    requested_by: Who
    reason: Why
    approver: Who | None = None
    artifacts: dict[str, CodeArtifact] = {}
    template: StackTemplate | None = None
    configurations: dict[str, CodeArtifact] = {}
    workflows: dict[str, CodeArtifact] = {}
    strategy: Strategy | None = None
    break_glass: BreakGlass | None = None

    @property
    def answered_for(self) -> bool:
        """Somebody else than the one who asks has approved it, or broken the glass."""
        approvers = {self.approver, self.break_glass.approver if self.break_glass else None}
        return bool(approvers - {None, self.requested_by})

    def has(self, function: str) -> bool:
        """Whether a function of the set is to be released."""
        return function in self.artifacts or not (self.artifacts or self.configurations or self.workflows)


def checked(request: ReleaseRequest, workload: Workload, now: datetime) -> None:
    """Whether the manifest knows what is asked for.

    Raises BadInputError naming the field and the rule.
    """
    known = workload.deployment.functions
    for key in request.artifacts:
        if key not in known:
            raise BadInputError(
                f"artifacts.{key}", f"must name one of deployment.functions ({', '.join(known)})"
            )
    if request.template and workload.deployment.stack is None:
        raise BadInputError("template", "must be left out: the manifest names no deployment.stack")
    for section, asked, named in (
        ("configurations", request.configurations, tuple(workload.deployment.configurations)),
        ("workflows", request.workflows, workload.deployment.workflows),
    ):
        for key in asked:
            if key not in named:
                names = ", ".join(named) or "there are none"
                raise BadInputError(f"{section}.{key}", f"must name one of deployment.{section} ({names})")
    if request.committed_at > now:
        raise BadInputError("committed_at", "must not be in the future")
    deployment = workload.deployment
    if known and (rule := too_long(ramp(request.strategy or deployment.strategy, deployment), deployment)):
        raise BadInputError("strategy", rule)
