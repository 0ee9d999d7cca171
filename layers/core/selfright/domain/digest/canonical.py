"""One spelling for every item that DynamoDB holds to be the same, and never one for two that differ.

Numbers by value, sets without order, binaries by their bytes, maps without order; types stay apart. What
comes out is JSON with sorted names: written injectively, and it can be read back and shown.
AWS: "Supported data types and naming rules in Amazon DynamoDB", "DynamoDB table export output format".
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

import orjson

NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?", re.ASCII)
PLAIN = 40  # digits that a number may take written without exponent; DynamoDB's precision is 38


class MalformedLineError(ValueError):
    """A line is no item of an export in DynamoDB JSON; the message says why.

    `at` is its place among the lines that were read together, from 0.
    """

    at = 0


def parse_line(line: bytes, root: str = "Item") -> dict[str, Any]:
    """The attributes of one line of an export. Raises MalformedLineError, also where a name is given twice."""
    try:
        document = orjson.loads(line)
        # orjson keeps the last of two equal names. Written again, a line is never longer than it was, and as
        # long only where nothing was dropped; AWS's own lines are, others are read with the slower parser.
        if len(orjson.dumps(document)) != len(line):
            document = json.loads(line, object_pairs_hook=_named_once)
    except (ValueError, RecursionError) as error:
        raise MalformedLineError(f"is not JSON: {error}") from None
    item = document.get(root) if isinstance(document, dict) else None
    if not isinstance(item, dict):
        raise MalformedLineError(f'has no object "{root}"')
    return item


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return named


def canonical(item: dict[str, Any]) -> bytes:
    """The one spelling of an item's attributes in DynamoDB JSON. Raises MalformedLineError."""
    try:
        return orjson.dumps(_map(item), option=orjson.OPT_SORT_KEYS)
    except (RecursionError, TypeError):
        raise MalformedLineError("is nested too deep") from None


def canonical_key(item: dict[str, Any], names: Sequence[str]) -> bytes:
    """The one spelling of an item's primary key, by the names of its key attributes. Raises MalformedLineError."""
    # Many keys are held at once, and orjson's bytes keep the kilobytes that it had reserved: copied, they do not.
    return bytes(bytearray(orjson.dumps(key_attributes(item, names))))


def key_attributes(item: dict[str, Any], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Key attributes in their one spelling, in the order of `names`. Raises MalformedLineError."""
    key: dict[str, dict[str, str]] = {}
    for name in names:
        if name not in item:
            raise MalformedLineError(f"has no key attribute {name}")
        kind, value = _typed(item[name])
        if kind not in KEY_KINDS:
            raise MalformedLineError(f"key attribute {name} is of type {kind}; a key is S, N or B")
        key[name] = {kind: _SPELLINGS[kind](value)}
    return key


def canonical_number(text: Any) -> str:
    """A number's one spelling by its value: 1 = 1.0 = 10E-1, and -0 = 0. Raises MalformedLineError."""
    found = NUMBER.fullmatch(text) if isinstance(text, str) else None
    if found is None or not (found[2] or found[3]):
        raise MalformedLineError(f"{text!r:.50} is no number")
    sign, whole, fraction, exponent = (
        found[1],
        found[2],
        found[3] or "",
        int(found[4] or 0) - len(found[3] or ""),
    )
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0"
    sign = "-" if sign == "-" else ""
    shown = digits.rstrip("0")
    exponent += len(digits) - len(shown)
    if 0 <= exponent <= PLAIN - len(shown):
        return sign + shown + "0" * exponent
    if -PLAIN <= exponent < 0:
        padded = shown.rjust(1 - exponent, "0")
        return f"{sign}{padded[:exponent]}.{padded[exponent:]}"
    return f"{sign}{shown}E{exponent}"


def _typed(value: Any) -> tuple[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise MalformedLineError(f"{value!r:.50} is no typed value")
    return next(iter(value.items()))


def _value(value: Any) -> dict[str, Any]:
    kind, content = _typed(value)
    spell = _SPELLINGS.get(kind)
    if spell is None:
        raise MalformedLineError(f"{kind!r:.50} is no type of DynamoDB")
    return {kind: spell(content)}


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise MalformedLineError(f"{content!r:.50} is no string")
    return content


def _binary(content: Any) -> str:
    try:
        return b64encode(b64decode(_text(content), validate=True)).decode()
    except ValueError:
        raise MalformedLineError(f"{content!r:.50} is no base64") from None


def _truth(content: Any) -> bool:
    if not isinstance(content, bool):
        raise MalformedLineError(f"{content!r:.50} is no truth value")
    return content


def _null(content: Any) -> bool:
    if content is not True:
        raise MalformedLineError("NULL is always true")
    return True


def _each(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise MalformedLineError(f"{content!r:.50} is no list")
    return content


def _map(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise MalformedLineError(f"{content!r:.50} is no map")
    return {name: _value(value) for name, value in content.items()}


# A member that is there twice stays there twice: DynamoDB has no such set, and hiding it would hide a fault.
_SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "S": _text,
    "N": canonical_number,
    "B": _binary,
    "BOOL": _truth,
    "NULL": _null,
    "SS": lambda content: sorted(map(_text, _each(content))),
    "NS": lambda content: sorted(map(canonical_number, _each(content))),
    "BS": lambda content: sorted(map(_binary, _each(content))),
    "L": lambda content: [_value(value) for value in _each(content)],
    "M": _map,
}
KEY_KINDS = ("S", "N", "B")
