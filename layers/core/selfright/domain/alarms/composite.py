"""Evaluates composite alarms: a rule over the states of other alarms.

Source: CloudWatch User Guide, "Composite alarms" (AT_LEAST since November 2025), and PutCompositeAlarm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfright.domain.alarms.values import State
from selfright.domain.alarms.words import Words
from selfright.domain.errors import BadInputError, NotFoundError

MAX_LENGTH = 10_240
MAX_CHILDREN = 100
MAX_ELEMENTS = 500
# Not AWS's: nobody could read more.
MAX_DEPTH = 50

_WORD = re.compile(r'\s*(?P<word>[(),]|"(?:[^"\\]|\\.)*"|[^\s(),"]+)')
_FUNCTIONS = {state.value: state for state in State}

_Test = Callable[[Mapping[str, State]], bool]


@dataclass(frozen=True, slots=True)
class CompositeRule:
    """An AlarmRule. `children` are the alarms it looks at, named as in the rule, in order, each once."""

    text: str
    children: tuple[str, ...]
    _test: _Test

    @classmethod
    def parse(cls, text: str) -> CompositeRule:
        """Read an AlarmRule.

        Raises BadInputError: `AlarmRule` breaks the grammar or a limit of PutCompositeAlarm.
        """
        if not isinstance(text, str) or not 0 < len(text) <= MAX_LENGTH:
            raise _wrong(f"must be a text of 1 to {MAX_LENGTH:,} characters")
        parser = _Parser(text)
        test = parser.whole()
        return cls(text, tuple(dict.fromkeys(parser.children)), test)

    def evaluate(self, states: Mapping[str, State]) -> State:
        """Give ALARM where the rule is true, else OK. `states` may be keyed by alarm names or ARNs.

        Raises NotFoundError: the state of a child is not given.
        """
        named = {_name(key): state for key, state in states.items()}
        for child in self.children:
            if _name(child) not in named:
                raise NotFoundError(f"no state is given of the alarm {child}")
        return State.ALARM if self._test(named) else State.OK


def _name(reference: str) -> str:
    """Shorten an ARN (arn:aws:cloudwatch:region:account:alarm:NAME) to the name; names may contain colons."""
    return reference.split(":", 6)[-1] if reference.startswith("arn:") else reference


def _wrong(rule: str) -> BadInputError:
    return BadInputError("AlarmRule", rule)


class _Parser:
    """NOT binds tighter than AND, AND tighter than OR; the guide gives no order and advises parentheses."""

    def __init__(self, text: str) -> None:
        self.children: list[str] = []
        self._words = Words(text, _WORD, _wrong, MAX_DEPTH)
        self._elements = 0

    def whole(self) -> _Test:
        test = self._any()
        self._words.end()
        if len(set(self.children)) > MAX_CHILDREN:
            raise _wrong(f"at most {MAX_CHILDREN} child alarms")
        if self._elements > MAX_ELEMENTS:
            raise _wrong(f"at most {MAX_ELEMENTS} elements (child alarms, TRUE, FALSE and parentheses)")
        return test

    def _any(self) -> _Test:
        tests = [self._all()]
        while self._words.accept("OR"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda states: any(test(states) for test in tests)

    def _all(self) -> _Test:
        tests = [self._single()]
        while self._words.accept("AND"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda states: all(test(states) for test in tests)

    def _single(self) -> _Test:
        word = self._words.take()[1]
        if word == "NOT":
            inner = self._words.nested(self._single)
            return lambda states: not inner(states)
        if word == "(":
            self._elements += 1
            inner = self._words.nested(self._any)
            self._words.expect(")")
            return inner
        # The API's documentation writes both FALSE and False.
        if word.upper() in ("TRUE", "FALSE"):
            self._elements += 1
            truth = word.upper() == "TRUE"
            return lambda _: truth
        if word == "AT_LEAST":
            return self._at_least()
        if word in _FUNCTIONS:
            wanted = _FUNCTIONS[word]
            self._words.expect("(")
            child = self._child()
            self._words.expect(")")
            return lambda states: states[child] is wanted
        raise _wrong(
            f"'{word}' where ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, NOT, TRUE, FALSE or ( should be"
        )

    def _at_least(self) -> _Test:
        self._words.expect("(")
        amount = self._words.take()[1].strip('"')
        if not re.fullmatch(r"\d{1,3}%?", amount):
            raise _wrong(f"AT_LEAST takes a number or a percentage, not '{amount}'")
        self._words.expect(",")
        negated = self._words.accept("NOT")
        state = self._words.take()[1]
        if state not in _FUNCTIONS:
            raise _wrong(f"AT_LEAST takes ALARM, OK or INSUFFICIENT_DATA, with or without NOT, not '{state}'")
        self._words.expect(",")
        self._words.expect("(")
        children = [self._child()]
        while self._words.accept(","):
            children.append(self._child())
        self._words.expect(")")
        self._words.expect(")")
        wanted, number = _FUNCTIONS[state], int(amount.rstrip("%"))
        scale, needed = (100, number * len(children)) if amount.endswith("%") else (1, number)
        return lambda states: (
            scale * sum((states[child] is wanted) is not negated for child in children) >= needed
        )

    def _child(self) -> str:
        word = self._words.take()[1]
        if word in "(),":
            raise _wrong(f"the name or ARN of an alarm expected, '{word}' found")
        child = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
        self.children.append(child)
        self._elements += 1
        return _name(child)
