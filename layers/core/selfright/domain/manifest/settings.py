"""Settings of the workload itself that differ between its environments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from selfright.domain.manifest.section import Count, Flag, Seconds, Section


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class BedrockSettings(Section):
    retries: Annotated[int, Field(strict=True, ge=0, le=10)]
    requests_per_minute: Count


class LambdaSettings(Section):
    concurrency: Count
    memory_mb: Annotated[int, Field(strict=True, ge=128, le=10_240)]  # AWS Lambda's bounds


class TableSettings(Section):
    read_units: Count
    write_units: Count


class Settings(Section):
    log_level: LogLevel = LogLevel.INFO
    caching: Flag = True
    cache_ttl_seconds: Seconds = 3600
    monitoring: Flag = True
    metrics_interval_seconds: Seconds = 60
    health_check_interval_seconds: Seconds = 30
    rate_limit_per_15_minutes: Count | None = None
    expected_requests_per_hour: Count | None = None
    bedrock: BedrockSettings | None = None
    functions: LambdaSettings | None = None
    tables: TableSettings | None = None
