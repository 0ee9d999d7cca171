"""What every section of a manifest is made of: a frozen model that refuses what it does not know, and its
value types.

Numbers and flags are strict: `"5"` is not 5 and `1` is not true. YAML tells them apart, so a value of the
wrong type is a slip, not a spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """Base of every model in a manifest."""

    # defer_build: only Workload's validator is ever built, on first use; building one per section as well
    # would double the time of a cold start.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
        validate_default=True,
        defer_build=True,
    )


def all_defaults() -> Any:
    """Default of a field that is a section with defaults of its own, each checked like a written value."""
    # Not `Limits()`: that would build a validator for the section alone, which nothing else needs.
    return Field(default={})


Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=7 * 86_400)]
"""A span of at most a week: nothing that the loop waits for lasts longer."""
Minutes = Annotated[int, Field(strict=True, ge=1, le=24 * 60)]
Share = Annotated[float, Field(strict=True, gt=0, le=1)]
Percent = Annotated[float, Field(strict=True, gt=0, le=100)]

WORKLOAD_NAME = r"^[a-z][a-z0-9-]{1,30}$"
KEY = r"^[a-z][a-z0-9-]{0,62}$"
FLAG_NAME = r"^[a-z][a-z0-9_]{0,62}$"
PHYSICAL_NAME = r"^[A-Za-z0-9_./{}-]{1,255}$"
PARAMETER_NAME = r"^/[A-Za-z0-9_./{}-]{1,1010}$"
ALARM_NAME = r"^[^\x00-\x1f\x7f]{1,255}$"
ENVIRONMENT_VARIABLE = r"^[A-Za-z][A-Za-z0-9_]{1,127}$"
ACCOUNT = r"^[0-9]{12}$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
MONITOR_ARN = r"^arn:[a-z-]+:ce::[0-9]{12}:anomalymonitor/[0-9a-f-]{1,100}$"
WEB_ADDRESS = r"^(https://[A-Za-z0-9.-]+|http://127\.0\.0\.1)(:[0-9]{1,5})?(/[!-~]*)?$"
CLOCK_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$"

# What each pattern means to a person: errors show this sentence, never the expression.
PATTERN_RULES = {
    WORKLOAD_NAME: "must be 2 to 31 small letters, digits or hyphens and start with a letter",
    KEY: "must be at most 63 small letters, digits or hyphens and start with a letter",
    FLAG_NAME: "must be at most 63 small letters, digits or underscores and start with a letter",
    PHYSICAL_NAME: "must be a name as AWS knows it: 1 to 255 letters, digits and . _ - /",
    PARAMETER_NAME: "must be a parameter's path: a / and letters, digits and . _ - /",
    ALARM_NAME: "must be an alarm name as AWS knows it: 1 to 255 characters on one line",
    ENVIRONMENT_VARIABLE: "must be a name as Lambda takes it: 2 to 128 letters, digits or underscores",
    ACCOUNT: "must be the 12 digits of an AWS account, in quotes",
    REGION: "must be an AWS region such as eu-central-1",
    MONITOR_ARN: "must be the ARN of a cost anomaly monitor",
    WEB_ADDRESS: "must be an https address without user and password (in the sandbox also http://127.0.0.1)",
    CLOCK_TIME: "must be a time of day as HH:MM, from 00:00 to 23:59",
    MOMENT: "must be a moment with its offset from UTC, such as 2026-12-20T18:00:00+01:00",
}

Text = Annotated[str, Field(min_length=1, max_length=500)]
WorkloadName = Annotated[str, Field(pattern=WORKLOAD_NAME)]
Key = Annotated[str, Field(pattern=KEY)]
"""A name used inside the manifest only: a logical resource, an alarm key, a channel, a runbook id."""
FlagName = Annotated[str, Field(pattern=FLAG_NAME)]
EnvironmentVariable = Annotated[str, Field(pattern=ENVIRONMENT_VARIABLE)]
AccountId = Annotated[str, Field(pattern=ACCOUNT)]
Region = Annotated[str, Field(pattern=REGION)]


def _expand(name: str, info: ValidationInfo) -> str:
    """Put the workload's and the environment's name in place of their placeholders."""
    if "{" not in name and "}" not in name:
        return name
    placeholders: dict[str, str] = info.context or {}
    for placeholder, text in placeholders.items():
        name = name.replace(f"{{{placeholder}}}", text)
    if placeholders and ("{" in name or "}" in name):
        known = ", ".join(f"{{{placeholder}}}" for placeholder in placeholders)
        raise ValueError(f"has an unknown placeholder; known are {known}")
    return name


PhysicalName = Annotated[str, Field(pattern=PHYSICAL_NAME), AfterValidator(_expand)]
ParameterName = Annotated[str, Field(pattern=PARAMETER_NAME), AfterValidator(_expand)]
AlarmName = Annotated[str, Field(pattern=ALARM_NAME), AfterValidator(_expand)]
BudgetName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_expand)]


def at_least(other: str) -> AfterValidator:
    """The value must not be below that of `other`, an earlier field of the same section."""
    return _ordered(other, "at least", "at most", lambda value, floor: value >= floor)


def more_than(other: str) -> AfterValidator:
    """The value must lie above that of `other`, an earlier field of the same section."""
    return _ordered(other, "more than", "less than", lambda value, floor: value > floor)


def _ordered(other: str, above: str, below: str, holds: Callable[[Any, Any], bool]) -> AfterValidator:
    # Either of the two may be the one that somebody just changed, so the error carries both views.
    written = other.rstrip("_")  # `from_` in Python is `from` in YAML

    def check(value: Any, info: ValidationInfo) -> Any:
        floor = info.data.get(other)  # absent where it is wrong itself
        if floor is not None and not holds(value, floor):
            context = {
                "rule": f"must be {above} {written} ({floor})",
                "other": written,
                "rule_for_other": f"must be {below} {info.field_name} ({value})",
            }
            raise PydanticCustomError("out_of_order", "{rule}", context)
        return value

    return AfterValidator(check)
