"""What the workload promises its users: response times, throughput, availability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from selfright.domain.manifest.section import Count, Key, Percent, Section, at_least


class Throughput(Section):
    sustained_concurrent: Count = Field(description="Requests in progress at the same time, for hours.")
    peak_concurrent: Annotated[Count, at_least("sustained_concurrent")] = Field(
        description="Requests in progress at the same time, for minutes."
    )
    completed_per_hour: Count = Field(description="Requests carried to their end within an hour.")


class Targets(Section):
    p95_seconds: Mapping[Key, Annotated[float, Field(strict=True, gt=0, le=900)]] = Field(
        default={}, description="Stage to the time that 95 % of its calls stay below."
    )
    throughput: Throughput | None = None
    availability_percent: Percent = 99.5
    success_rate_percent: Percent = 95.0
