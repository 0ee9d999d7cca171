"""What came of comparing a table's export with that of its restored copy."""

from __future__ import annotations

from collections.abc import Mapping
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

    `differences` names some of each kind, `counts` says how many there are. Where not `all_located`, there are more
    that nobody looked at, of any kind.
    """

    model_config = FROZEN

    source_items: int = Field(ge=0)
    copy_items: int = Field(ge=0)
    counts: Mapping[Kind, int] = {}
    all_located: bool = True
    differences: tuple[Difference, ...] = ()
    problems: tuple[str, ...] = ()
