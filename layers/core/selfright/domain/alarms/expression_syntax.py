"""Reads a metric math expression into a tree. It knows the grammar only, not what functions mean.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfright.domain.alarms.words import Words

# Beyond any sensible expression. The API takes 2,048 characters; as many "(" or "+" would exhaust the stack.
MAX_DEPTH = 40
MAX_WORDS = 400

_WORD = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z][A-Za-z0-9_]*)
      | (?P<string>"[^"]*"|'[^']*')
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>(),\[\]])
    )""",
    re.VERBOSE,
)

# From loosest to tightest. The guide lists the operators without an order; this is the usual one.
_LEVELS = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))
_SAME = {"||": "OR", "&&": "AND"}


class ExpressionError(Exception):
    """A metric math expression is wrong, or needs what is not supported; the message says what."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The id of another query (lower case), or a keyword of a function such as REPEAT (upper case)."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Node


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node = Number | Text | Reference | Negation | Operation | Listing | Call


def parse(text: str) -> Node:
    """Read an expression.

    Raises ExpressionError: it is none.
    """
    return _Parser(text).whole()


def references(node: Node) -> Iterator[str]:
    """Name every query id that the expression mentions, in order."""
    if isinstance(node, Reference):
        yield node.name
    elif isinstance(node, Negation):
        yield from references(node.operand)
    elif isinstance(node, Operation):
        yield from references(node.left)
        yield from references(node.right)
    elif isinstance(node, Listing | Call):
        for part in node.items if isinstance(node, Listing) else node.arguments:
            yield from references(part)


class _Parser:
    def __init__(self, text: str) -> None:
        self._words = Words(text, _WORD, ExpressionError, MAX_DEPTH)
        if len(self._words) > MAX_WORDS:
            raise ExpressionError(f"more than {MAX_WORDS} words and signs")

    def whole(self) -> Node:
        node = self._binary(0)
        self._words.end()
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._negated()
        left = self._binary(level + 1)
        while (sign := self._words.peek()) in _LEVELS[level]:
            self._words.take()
            left = Operation(_SAME.get(sign, sign), left, self._binary(level + 1))
        return left

    def _negated(self) -> Node:
        negations = 0
        while self._words.peek() == "-":
            self._words.take()
            negations += 1
        node = self._power()
        return Negation(node) if negations % 2 else node

    def _power(self) -> Node:
        base = self._primary()
        if self._words.peek() != "^":
            return base
        self._words.take()
        return Operation("^", base, self._words.nested(self._negated))

    def _primary(self) -> Node:
        kind, word = self._words.take()
        if kind == "number":
            return Number(float(word))
        if kind == "string":
            return Text(word[1:-1])
        if kind == "name" and word not in ("AND", "OR"):
            return Call(word, self._items(")")) if self._words.accept("(") else Reference(word)
        if word == "[":
            return Listing(self._items("]"))
        if word == "(":
            node = self._words.nested(lambda: self._binary(0))
            self._words.expect(")")
            return node
        raise ExpressionError(f"'{word}' where a value should be")

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._words.accept(end):
            if items:
                self._words.expect(",")
            items.append(self._words.nested(lambda: self._binary(0)))
        return tuple(items)
