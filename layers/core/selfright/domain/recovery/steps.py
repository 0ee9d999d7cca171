"""What travels between the states of `recover`: an id and a word. Each word is one branch of a Choice."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from selfright.domain.recovery.record import Status
from selfright.domain.recovery.request import FROZEN, RecoverInput


class Go(StrEnum):
    TABLE = "table"  # the next step's room
    COMPARE = "compare"
    ITEMS = "items"
    OBJECTS = "objects"
    CODE = "code"
    CONFIGURATION = "configuration"
    WORKLOAD = "workload"
    CLOSE = "close"  # nothing is left to do, or nothing may be done
    WELL = "well"  # planned or recovered
    BADLY = "badly"  # refused or failed


class RecoverBegin(BaseModel):
    """Input of the first room: what people asked for, and the execution, which names the recovery."""

    model_config = FROZEN

    execution: str
    asked: RecoverInput


class RecoverStep(BaseModel):
    """Input of every other room; `failure` is set where a station failed for good."""

    model_config = FROZEN

    execution: str
    failure: str | None = None


class RecoverWord(BaseModel):
    """Output of every room. `wait` is in seconds."""

    model_config = FROZEN

    next: Go
    recovery: str
    wait: int = Field(default=0, ge=0)
    status: Status | None = None
