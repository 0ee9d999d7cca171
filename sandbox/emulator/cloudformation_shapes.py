"""Template properties as the API takes them: the right types, and nothing the API does not know.

CloudFormation converts "5" to 5 where the property is a number, and refuses a property that the type does not
have; MiniStack passes strings on and drops what it does not know. The shapes are botocore's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from botocore.session import get_session

NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


class PropertyError(ValueError):
    """A template's property is unknown or of the wrong type. MiniStack fails the resource with its text."""


def typed(
    service: str, shape: str, properties: Mapping[str, Any], *, also: frozenset[str] = frozenset()
) -> Any:
    """`properties` converted to the members of botocore's `shape`.

    `also` names properties of the resource type that are no members; they are left out of the result.
    Raises PropertyError, in CloudFormation's words, for a property that is unknown or of another type.
    """
    wanted = {name: value for name, value in properties.items() if name not in also}
    return _converted(_shape(service, shape), wanted, "")


@cache
def _shape(service: str, name: str) -> Shape:
    return get_session().get_service_model(service).shape_for(name)


def _converted(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape):
        if not isinstance(value, Mapping):
            raise PropertyError(f"Value of property {path} must be an object")
        unknown = [name for name in value if name not in shape.members]
        if unknown:
            raise PropertyError(f"Encountered unsupported property {path + '.' if path else ''}{unknown[0]}")
        return {name: _converted(shape.members[name], part, name) for name, part in value.items()}
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise PropertyError(f"Value of property {path} must be of type List")
        return [_converted(shape.member, part, path) for part in value]
    if shape.type_name in NUMBERS:
        try:
            return NUMBERS[shape.type_name](value)
        except (TypeError, ValueError):
            raise PropertyError(f"Value of property {path} must be a number, not {value!r}") from None
    if shape.type_name == "boolean":
        return _boolean(value, path)
    return str(value) if shape.type_name == "string" else value


def _boolean(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise PropertyError(f"Value of property {path} must be true or false, not {value!r}")
