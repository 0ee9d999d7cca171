"""Which tables' backups are proven, how much may be lost, and what must hold of a restored table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from selfright.domain.manifest.section import (
    Count,
    Flag,
    FlagName,
    Key,
    ParameterName,
    PhysicalName,
    Seconds,
    Section,
    Text,
)

AttributeName = Annotated[str, Field(min_length=1, max_length=255)]

Number = Annotated[float, Field(strict=True)]


class Invariant(Section):
    """One rule about a table: of one attribute of every item, or of how many items there are."""

    name: Text
    at_least_items: Count | None = None
    attribute: AttributeName | None = Field(default=None, description="Of every item, at its top level.")
    optional: Flag = Field(default=False, description="May the attribute be missing?")
    type: Literal["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"] | None = None
    one_of: tuple[str, ...] = Field(default=(), description="Of a text or a number as DynamoDB spells it.")
    minimum: Number | None = None
    maximum: Number | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        about_one = self.attribute is not None
        if about_one == (self.at_least_items is not None):
            raise ValueError("must have either attribute or at_least_items")
        if not about_one and (
            self.type or self.one_of or self.minimum is not None or self.maximum is not None
        ):
            raise ValueError("must have attribute for its other rules to be about")
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise ValueError("must not have a maximum below its minimum")
        return self


class Repoint(Section):
    """Where the application reads the table's name, so that it can be sent to a restored one."""

    parameter: ParameterName = Field(description="SSM parameter of type String.")
    field: FlagName | None = Field(
        default=None, description="Of the JSON object in it; left out where the name is all of it."
    )


class TableBackup(Section):
    """How one table's backup is proven."""

    sentinel: Flag = Field(
        default=False,
        description="Selfright writes one item a minute to the table: its age in a copy witnesses the RPO.",
    )

    repoint: Repoint | None = None
    invariants: tuple[Invariant, ...] = Field(
        default=(), description="Without any, nobody can say that a restored table makes sense."
    )


class Backup(Section):
    """Recovery objectives of the workload, and its tables that are restored and compared."""

    rpo_seconds: Seconds = Field(default=3600, description="How much of the newest past may be lost.")
    rto_seconds: Seconds = Field(default=14400, description="How long a table may take to be back.")
    tables: Mapping[Key, TableBackup] = Field(default={}, description="By the resource's logical name.")
    buckets: tuple[Key, ...] = Field(
        default=(),
        description="Versioned buckets whose objects are listed every week, by the resource's logical name.",
    )
    parameters: tuple[PhysicalName, ...] = Field(
        default=("/{workload}/{environment}",),
        description="Paths of SSM parameters that belong to the configuration.",
    )
