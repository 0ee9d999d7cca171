"""The words of a small language, one after the other, for a parser that descends into its grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

Read = TypeVar("Read")


class Words:
    """`word` matches one word, leading white space included; the name of the group that holds it is its kind.

    What is wrong is raised as `wrong` makes it of a text. `depth`: how deep one thing may stand inside another; as
    many parentheses as a text may hold would exhaust Python's stack.
    """

    def __init__(
        self, text: str, word: re.Pattern[str], wrong: Callable[[str], Exception], depth: int
    ) -> None:
        self._wrong, self._deepest = wrong, depth
        self._words = tuple(self._split(text.rstrip(), word))
        self._place = self._depth = 0

    def __len__(self) -> int:
        return len(self._words)

    def peek(self) -> str:
        """The next word; empty at the end."""
        return self._words[self._place][1] if self._place < len(self._words) else ""

    def take(self) -> tuple[str, str]:
        """The next word with its kind, which is read with that."""
        if self._place == len(self._words):
            raise self._wrong("it ends too early")
        self._place += 1
        return self._words[self._place - 1]

    def accept(self, word: str) -> bool:
        """Whether it is the next one, which is read then."""
        found = self.peek() == word
        self._place += found
        return found

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self._wrong(f"'{word}' expected, '{self.peek() or 'end'}' found")

    def end(self) -> None:
        """Nothing may follow."""
        if self.peek():
            raise self._wrong(f"'{self.peek()}' follows a complete expression")

    def nested(self, read: Callable[[], Read]) -> Read:
        """What is read one level deeper."""
        self._depth += 1
        if self._depth > self._deepest:
            raise self._wrong(f"more than {self._deepest} levels inside one another")
        found = read()
        self._depth -= 1
        return found

    def _split(self, text: str, word: re.Pattern[str]) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(text):
            match = word.match(text, place)
            if match is None or match.lastgroup is None:
                rest = text[place : place + 10].strip()
                raise self._wrong(f"character {place + 1} is not understood: {rest}")
            yield match.lastgroup, match[match.lastgroup]
            place = match.end()
