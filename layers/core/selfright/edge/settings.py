"""Environment variables, typed: a room sees only what it declares here and template.yaml gives it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Environment

PREFIX = "SELFRIGHT_"


class Settings(BaseModel):
    """SELFRIGHT_<NAME> of each field. Empty where a room does not need it; using an empty one is an error."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    environment: Environment
    content: Path = Field(description="Folder with runbooks/ and workloads/, shipped in the core layer.")
    table: str = ""
    respond_arn: str = ""
    undo_arn: str = ""
    deploy_arn: str = ""
    roll_back_arn: str = ""
    alerts_topic_arn: str = Field(
        default="", description="Topic of this deployment; one that a manifest names lies beside it."
    )
    switch_application: str = ""
    switch_environment: str = ""
    switch_profile: str = ""
    flag_strategy: str = ""
    verify_backup_arn: str = ""
    stack_role_arn: str = Field(
        default="", description="With which CloudFormation changes the stacks of workloads."
    )
    state_machine_prefix: str = Field(default="", description="What comes before a name in the ARN of one.")
    recover_arn: str = ""
    back_up_arn: str = ""
    backup_bucket: str = Field(default="", description="Where backups are kept.")
    backup_key: str = Field(default="", description="KMS key for the values of functions' environments.")
    evidence_bucket: str = Field(default="", description="Where restore tests keep evidence and exports.")

    @classmethod
    def from_environment(cls) -> Self:
        """Read the process environment.

        Raises BadInputError naming the variable.
        """
        given = {
            name: os.environ[f"{PREFIX}{name.upper()}"]
            for name in cls.model_fields
            if f"{PREFIX}{name.upper()}" in os.environ
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            raise BadInputError(f"{PREFIX}{str(first['loc'][0]).upper()}", first["msg"]) from None

    def need(self, name: str) -> str:
        """The value of a field that this room cannot do without.

        Raises BadInputError naming the variable.
        """
        value = getattr(self, name)
        if not value:
            raise BadInputError(f"{PREFIX}{name.upper()}", "must be set for this function")
        return str(value)
