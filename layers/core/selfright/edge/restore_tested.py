"""EventBridge's word that AWS Backup has restored something; of it only the job's id is believed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

IGNORED = ConfigDict(defer_build=True, frozen=True, extra="ignore")


class _Detail(BaseModel):
    model_config = IGNORED

    job: Annotated[str, Field(min_length=1, alias="restoreJobId")]


class RestoreTested(BaseModel):
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html, restore job events"""

    model_config = IGNORED

    source: Literal["aws.backup"]
    detail_type: Literal["Restore Job State Change"] = Field(alias="detail-type")
    detail: _Detail
