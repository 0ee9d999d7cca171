"""A release: what is asked for, what may stop it, how it goes out, what is remembered of it."""

from selfright.domain.release.admission import AdmissionFacts, Build, FunctionFacts, Objection, objections
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
from selfright.domain.release.request import BreakGlass, CodeArtifact, ReleaseRequest, StackTemplate, checked
from selfright.domain.release.stack import StackChange

__all__ = [
    "AdmissionFacts",
    "BreakGlass",
    "Build",
    "CodeArtifact",
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
    "checked",
    "lock_of",
    "objections",
    "ramp",
]
