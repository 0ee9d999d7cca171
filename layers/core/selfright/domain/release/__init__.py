"""A release: what is asked for, what may stop it, how it goes out, what is remembered of it."""

from selfright.domain.release.admission import (
    AdmissionFacts,
    Build,
    ConfigurationFacts,
    FunctionFacts,
    Objection,
    objections,
)
from selfright.domain.release.ramp import Rung, ramp
from selfright.domain.release.record import (
    FunctionRelease,
    LogLine,
    Milestone,
    Release,
    ReleaseFile,
    ReleaseStatus,
    StopReason,
    lock_of,
)
from selfright.domain.release.request import BreakGlass, CodeArtifact, ReleaseRequest, checked

__all__ = [
    "AdmissionFacts",
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
    "StopReason",
    "checked",
    "lock_of",
    "objections",
    "ramp",
]
