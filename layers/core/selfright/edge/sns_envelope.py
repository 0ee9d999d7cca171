"""What SNS wraps around a message: in a queue without raw delivery, and where it wakes a function itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.alias_generators import to_pascal

from selfright.domain.errors import BadInputError
from selfright.edge.event_parts import Filled, Part, read


class Envelope(Part):
    model_config = ConfigDict(alias_generator=to_pascal)

    type: Literal["Notification"]
    topic_arn: Filled
    message: str


def opened(content: Any) -> Envelope | None:
    """The envelope, where `content` is one.

    Raises BadInputError where it is a broken one, or holds several messages: SNS sends one at a time.
    """
    match content:
        case {"Records": [{"Sns": sns}]}:
            return read(Envelope, sns)
        case {"Records": _}:
            raise BadInputError("Records", "must be one record of SNS")
        case {"Type": _, "Message": _}:
            return read(Envelope, content)
        case _:
            return None
