"""Reads a metric math expression into a tree. It knows the grammar only, not what functions mean.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
        self._words = list(_words(text))
        if len(self._words) > MAX_WORDS:
            raise ExpressionError(f"more than {MAX_WORDS} words and signs")
        self._place = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._binary(0)
        if self._peek():
            raise ExpressionError(f"'{self._peek()}' follows a complete expression")
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._negated()
        left = self._binary(level + 1)
        while (sign := self._peek()) in _LEVELS[level]:
            self._take()
            left = Operation(_SAME.get(sign, sign), left, self._binary(level + 1))
        return left

    def _negated(self) -> Node:
        negations = 0
        while self._peek() == "-":
            self._take()
            negations += 1
        node = self._power()
        return Negation(node) if negations % 2 else node

    def _power(self) -> Node:
        base = self._primary()
        if self._peek() != "^":
            return base
        self._take()
        return Operation("^", base, self._nested(self._negated))

    def _primary(self) -> Node:
        kind, word = self._take()
        if kind == "number":
            return Number(float(word))
        if kind == "string":
            return Text(word[1:-1])
        if kind == "name" and word not in ("AND", "OR"):
            return Call(word, self._items(")")) if self._accept("(") else Reference(word)
        if word == "[":
            return Listing(self._items("]"))
        if word == "(":
            node = self._nested(lambda: self._binary(0))
            self._expect(")")
            return node
        raise ExpressionError(f"'{word}' where a value should be")

    def _items(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._accept(end):
            if items:
                self._expect(",")
            items.append(self._nested(lambda: self._binary(0)))
        return tuple(items)

    def _nested(self, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"more than {MAX_DEPTH} levels inside one another")
        node = read()
        self._depth -= 1
        return node

    def _peek(self) -> str:
        return self._words[self._place][1] if self._place < len(self._words) else ""

    def _take(self) -> tuple[str, str]:
        if self._place == len(self._words):
            raise ExpressionError("it ends too early")
        self._place += 1
        return self._words[self._place - 1]

    def _accept(self, word: str) -> bool:
        found = self._peek() == word
        self._place += found
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise ExpressionError(f"'{word}' expected, '{self._peek() or 'end'}' found")


def _words(text: str) -> Iterator[tuple[str, str]]:
    place, text = 0, text.rstrip()
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None or match.lastgroup is None:
            raise ExpressionError(
                f"character {place + 1} is not understood: {text[place : place + 10].strip()}"
            )
        yield match.lastgroup, match[match.lastgroup]
        place = match.end()
