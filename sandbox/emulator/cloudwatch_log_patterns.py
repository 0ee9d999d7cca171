"""CloudWatch Logs' filter patterns: terms, phrases, optional and excluded terms, %regex%, JSON selectors.

Source: CloudWatch Logs User Guide, "Filter pattern syntax". Space-delimited patterns ([ip, user, ...]) are
refused. Pure: text in, verdict out.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from selfright.domain.alarms.words import Words

Test = Callable[[Any], bool]

MAX_DEPTH = 50
_MISSING = object()
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_WORD = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[\w-]+|\[\d+\]|\['[^']*'\]|\["[^"]*"\])+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<sign>&&|\|\||!=|>=|<=|[=<>()])
      | (?P<bare>[^\s()&|=<>!]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


class PatternError(ValueError):
    """The text is no filter pattern that the sandbox knows; the message says why."""


class Pattern:
    """A compiled filter pattern."""

    def __init__(self, text: str) -> None:
        """Read a pattern. Raises PatternError."""
        stripped = text.strip()
        self.is_json = stripped.startswith("{")
        if stripped.startswith("["):
            raise PatternError("space-delimited patterns are not supported")
        self._test = _Json(stripped).whole() if self.is_json else _text(stripped)

    def match(self, message: str) -> Any:
        """What a matching log line holds: its JSON for a JSON pattern, {} for terms. None: no match."""
        if not self.is_json:
            return {} if self._test(message) else None
        if not message.lstrip().startswith("{"):
            return None
        try:
            document = json.loads(message)
        except ValueError:
            return None
        return document if self._test(document) else None


def select(document: Any, selector: str) -> Any:
    """The value at a selector such as $.request.items[0].name; None where there is none."""
    value = _at(document, _steps(selector))
    return None if value is _MISSING else value


def _text(text: str) -> Test:
    if len(text) > 1 and text.startswith("%") and text.endswith("%"):
        try:
            expression = re.compile(text[1:-1])
        except re.error as error:
            raise PatternError(f"no regular expression: {error}") from None
        return lambda message: expression.search(message) is not None
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for sign, phrase, word in _TERM.findall(text):
        terms[sign].append(re.sub(r"\\(.)", r"\1", phrase) if phrase else word)
    required, optional, excluded = terms[""], terms["?"], terms["-"]

    def test(message: Any) -> bool:
        return (
            all(term in message for term in required)
            and (not optional or bool(required) or any(term in message for term in optional))
            and not any(term in message for term in excluded)
        )

    return test


def _steps(selector: str) -> tuple[str | int, ...]:
    return tuple(
        int(index) if index else name or single or double
        for name, index, single, double in _STEP.findall(selector)
    )


def _at(document: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return document


class _Json:
    """Reads { $.a = "x" && ($.n > 3 || $.b IS TRUE) }; && binds tighter than ||."""

    def __init__(self, text: str) -> None:
        if not text.endswith("}"):
            raise PatternError("a JSON pattern ends with }")
        self._words = Words(text[1:-1], _WORD, PatternError, MAX_DEPTH)

    def whole(self) -> Test:
        test = self._any()
        self._words.end()
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._words.accept("||"):
            tests.append(self._all())
        return lambda document: any(test(document) for test in tests)

    def _all(self) -> Test:
        tests = [self._single()]
        while self._words.accept("&&"):
            tests.append(self._single())
        return lambda document: all(test(document) for test in tests)

    def _single(self) -> Test:
        if self._words.accept("("):
            test = self._words.nested(self._any)
            self._words.expect(")")
            return test
        kind, word = self._words.take()
        if kind != "selector":
            raise PatternError(f"a selector such as $.name expected, '{word}' found")
        steps = _steps(word)
        kind, sign = self._words.take()
        if kind == "bare":
            return self._is(steps, sign.upper())
        if sign not in _COMPARISONS:
            raise PatternError(f"a comparison expected, '{sign}' found")
        return _compare(steps, sign, *self._words.take())

    def _is(self, steps: tuple[str | int, ...], word: str) -> Test:
        _, what = self._words.take()
        verdicts: dict[tuple[str, str], Test] = {
            ("IS", "TRUE"): lambda document: _at(document, steps) is True,
            ("IS", "FALSE"): lambda document: _at(document, steps) is False,
            ("IS", "NULL"): lambda document: _at(document, steps) is None,
            ("NOT", "EXISTS"): lambda document: _at(document, steps) is _MISSING,
        }
        if (word, what.upper()) not in verdicts:
            raise PatternError(f"IS TRUE, IS FALSE, IS NULL or NOT EXISTS expected, '{word} {what}' found")
        return verdicts[word, what.upper()]


def _compare(steps: tuple[str | int, ...], sign: str, kind: str, word: str) -> Test:
    """A comparison with a number, or with a text in which * stands for anything."""
    compare = _COMPARISONS[sign]
    if kind not in {"string", "bare"}:
        raise PatternError(f"a value expected, '{word}' found")
    number = _number(word) if kind == "bare" else None
    if number is not None:

        def numeric(document: Any) -> bool:
            value = _at(document, steps)
            return isinstance(value, int | float) and not isinstance(value, bool) and compare(value, number)

        return numeric
    if sign not in {"=", "!="}:
        raise PatternError(f"{sign} compares numbers, '{word}' is none")
    wanted = re.sub(r"\\(.)", r"\1", word[1:-1]) if kind == "string" else word

    def textual(document: Any) -> bool:
        value = _at(document, steps)
        if value is _MISSING or not isinstance(value, str):
            return False
        return fnmatchcase(value, _only_stars(wanted)) is (sign == "=")

    return textual


def _only_stars(text: str) -> str:
    """The pattern for fnmatch in which * keeps its meaning and nothing else has one."""
    return re.sub(r"([?\[])", r"[\1]", text)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
