"""What came of comparing a table's export with that of its restored copy."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from selfright.domain.backup.verdict import FROZEN


class Kind(StrEnum):
    MISSING = "missing"  # in the source, not in the copy
    EXTRA = "extra"  # in the copy, not in the source
    CHANGED = "changed"  # in both, not the same


class Difference(BaseModel):
    """One item by its key, as people read it ("opportunity_id=o-17 analysis_id=a-3")."""

    model_config = FROZEN

    key: str
    kind: Kind


class Comparison(BaseModel):
    """Items of both exports. `problems` say what is wrong with an export itself: then nothing else counts.

    `differences` may be cut off; `differing` is how many there are in all.
    """

    model_config = FROZEN

    source_items: int = Field(ge=0)
    copy_items: int = Field(ge=0)
    differing: int = Field(default=0, ge=0)
    differences: tuple[Difference, ...] = ()
    problems: tuple[str, ...] = ()
