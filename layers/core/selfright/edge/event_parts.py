"""What the models of all senders' events are made of, and how a broken event is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from selfright.domain.errors import BadInputError

YEARS = range(2006, 2200)  # AWS began in 2006


class Part(BaseModel):
    """A piece of an event: only what we read is modelled, AWS may add fields.

    Validators are built on first use: a function that sees alarms only does not pay for the others.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


def _moment(value: Any) -> datetime:
    """CloudWatch writes 2026-11-23T10:00:00.000+0000, EventBridge 2026-11-23T10:00:00Z; both mean UTC."""
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic turns ValueError into a validation error
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("must say its offset from UTC")
    return _possible(moment)


def _possible(moment: datetime) -> datetime:
    """In UTC; ids and arithmetic want a year of four digits that is not the first or the last."""
    if moment.year not in YEARS:
        raise ValueError(f"must lie between the years {YEARS[0]} and {YEARS[-1]}")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]
Account = Annotated[str, Field(pattern=r"^\d{12}$")]
Filled = Annotated[str, Field(min_length=1)]
AlarmArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:\d{12}:alarm:.+$")]


class Bridged(Part):
    """The frame that EventBridge puts around every event."""

    account: Account
    region: Filled
    time: Moment


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], event: Any) -> Model:
    """The event as `model`.

    Raises BadInputError naming the field and the rule.
    """
    try:
        return model.model_validate(event)
    except ValidationError as error:
        raise refused(error) from None


def refused(error: ValidationError) -> BadInputError:
    """What a reader of the dead-letter queue needs: the first field that is wrong, and what is allowed."""
    first = error.errors(include_url=False, include_input=False)[0]
    return BadInputError(".".join(str(p) for p in first["loc"]) or "event", first["msg"])


def from_json(text: str) -> Any:
    """What the text holds where it is JSON; the text itself where it is not.

    Raises BadInputError where it is nested deeper than Python can read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise BadInputError("event", "must not be nested so deep") from None
    except ValueError:
        return text


def read_moment(text: str, format_: str, *, field: str) -> datetime:
    """A moment in UTC, written in a format of the sender's own.

    Raises BadInputError naming `field`.
    """
    try:
        return _possible(datetime.strptime(text, format_).replace(tzinfo=UTC))
    except ValueError as error:
        raise BadInputError(field, f"must have a date that exists (is {text}): {error}") from None
