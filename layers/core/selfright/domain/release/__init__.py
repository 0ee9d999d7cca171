"""A release: what is asked for, what may stop it, how it goes out, what is remembered of it."""

from selfright.domain.release.admission import (
    AdmissionFacts,
    Build,
    ConfigurationFacts,
    FunctionFacts,
    Objection,
    WorkflowFacts,
    objections,
)
from selfright.domain.release.ramp import Rung, ramp
from selfright.domain.release.record import (
    LogLine,
    Milestone,
    Release,
    ReleaseFile,
    ReleaseStatus,
    StopReason,
    lock_of,
)
from selfright.domain.release.request import BreakGlass, CodeArtifact, ReleaseRequest, StackTemplate, checked
from selfright.domain.release.stack import StackChange
from selfright.domain.release.workflow import Aliased, FunctionRelease, WorkflowRelease

__all__ = [
    "AdmissionFacts",
    "Aliased",
    "BreakGlass",
    "Build",
    "CodeArtifact",
    "ConfigurationFacts",
    "FunctionFacts",
    "FunctionRelease",
    "LogLine",
    "Milestone",
    "Objection",
    "Release",
    "ReleaseFile",
    "ReleaseRequest",
    "ReleaseStatus",
    "Rung",
    "StackChange",
    "StackTemplate",
    "StopReason",
    "WorkflowFacts",
    "WorkflowRelease",
    "checked",
    "lock_of",
    "objections",
    "ramp",
]
