"""What travels between the states of `verify_backup`: an id and words. Each word is one branch of a Choice."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from selfright.domain.backup.restore_test import Plant
from selfright.domain.backup.verdict import FROZEN, Verdict
from selfright.domain.manifest.section import KEY, WORKLOAD_NAME


class Next(StrEnum):
    WAIT = "wait"  # AWS is not done yet; look again after `wait` seconds
    GO = "go"  # on to the next station
    READ = "read"  # have every part of both exports read, then come back
    RECORD = "record"  # nothing more can be found out: write down what is known
    HOPED = "hoped"  # the backup is good, or the planted fault was found
    ALARM = "alarm"  # it is not, or nobody knows


class VerifyBackupInput(BaseModel):
    """Input of the `verify_backup` state machine: which table, and a fault to put into the copy for a drill."""

    model_config = FROZEN

    workload: Annotated[str, Field(pattern=WORKLOAD_NAME)]
    table: Annotated[str, Field(pattern=KEY, description="Logical name of a resource under backup.tables.")]
    plant: Plant | None = None


class RestoreBegin(VerifyBackupInput):
    """Input of the first room."""

    execution: str = Field(description="Step Functions' ARN of the execution: it names the test.")


class RestoreStep(BaseModel):
    """Input of every other room; `failure` is set where a station failed for good."""

    model_config = FROZEN

    execution: str
    failure: str | None = None


class CompareStep(RestoreStep):
    """Input of `compare_copy`. `read`: how many readings of all parts were made so far; the last is made use of now."""

    read: int = Field(default=0, ge=0)


class PartToRead(BaseModel):
    """Input of `read_part`: one item of the list that the Map goes through."""

    model_config = FROZEN

    execution: str
    reading: int = Field(ge=1)
    side: Literal["source", "copy"]
    part: str


class PartRead(BaseModel):
    """Output of `read_part`; what was found is in the bucket."""

    model_config = FROZEN

    part: str


class StoredList(BaseModel):
    """Where the list of the parts that are to be read lies: a JSON array in S3, as the Map reads it."""

    model_config = FROZEN

    bucket: str
    key: str


class RestoreStepResult(BaseModel):
    """Output of every room. `wait` is in seconds; `reading` and `parts` go with "read": what is to be read."""

    model_config = FROZEN

    next: Next
    test: str
    wait: int = Field(default=0, ge=0)
    reading: int = Field(default=0, ge=0)
    parts: StoredList | None = None
    verdict: Verdict | None = None
