"""pydantic's findings in plain words: one field, one sentence."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfright.domain.manifest.breach import Breach, suggestion
from selfright.domain.manifest.layering import Path, has
from selfright.domain.manifest.schema import field_names
from selfright.domain.manifest.section import PATTERN_RULES

_DISCRIMINATOR = "type"

_RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "string_type": lambda _: "must be text",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "bool_type": lambda _: "must be true or false",
    "tuple_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be a mapping of names to values",
    "mapping_type": lambda _: "must be a mapping of names to values",
    "model_type": lambda _: "must be a mapping of fields to values",
    "model_attributes_type": lambda _: "must be a mapping of fields to values",
    "greater_than": lambda context: f"must be more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']:g}",
    "less_than_equal": lambda context: f"must be at most {context['le']:g}",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "too_short": lambda context: f"must have at least {context['min_length']} entry",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "string_pattern_mismatch": lambda context: PATTERN_RULES[context["pattern"]],
    "enum": lambda context: f"must be {_plain(context['expected'])}",
    "literal_error": lambda context: f"must be {_plain(context['expected'])}",
    "union_tag_invalid": lambda context: f"must be one of {_plain(context['expected_tags'])}",
    "union_tag_not_found": lambda _: "is required",
    "value_error": lambda context: str(context["error"]),
    "out_of_order": lambda context: str(context["rule"]),
}


def first_breach(errors: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> Breach:
    """What to mend first, of `ValidationError.errors()` over the merged `document`.

    Unknown fields go first: a misspelt field is also a missing one, and its spelling is the mistake.
    """
    return _explain(min(errors, key=lambda error: error["type"] != "extra_forbidden"), document)


def _explain(error: Mapping[str, Any], document: Mapping[str, Any]) -> Breach:
    kind, context = error["type"], error.get("ctx", {})
    path = _path(error["loc"], document)
    if kind == "extra_forbidden":
        known = field_names(path[:-1], document)
        return Breach(path, f"is not a known field{suggestion(str(path[-1]), known)}")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        path = (*path, _DISCRIMINATOR)
    words = _RULES.get(kind)
    rule = words(context) if words else f"is not valid: {error['msg']}"
    other = Breach((*path[:-1], context["other"]), context["rule_for_other"]) if "other" in context else None
    return Breach(path, rule + _value(kind, error), other)


def _path(location: Sequence[str | int], document: Any) -> Path:
    """The location without the marks that stand for no key: "[key]", and the tag of an alternative."""
    path: list[str | int] = []
    for position, part in enumerate(location, start=1):
        if part == "[key]" and not has(document, part):
            continue
        is_tag = isinstance(document, Mapping) and document.get(_DISCRIMINATOR) == part
        if is_tag and position < len(location):
            continue
        path.append(part)
        document = document[part] if has(document, part) else None
    return tuple(path)


def _plain(choices: str) -> str:
    """A list of choices without quotes, and `<Type.TABLE: table>` as its text."""
    return re.sub(r"<[^:>]+: ([^>]+)>", r"\1", choices.replace("'", ""))


def _value(kind: str, error: Mapping[str, Any]) -> str:
    """The offending value, where the sentence does not show it already."""
    value = error["input"]
    if kind in {"missing", "union_tag_not_found", "out_of_order"} or isinstance(
        value, Mapping | list | tuple
    ):
        return ""
    return f" (is {reprlib.repr(value)})"
