"""What must hold of a table's items for the application, whatever the backup: rules of the manifest, one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from selfright.domain.manifest import Invariant

Item = Mapping[str, Mapping[str, Any]]  # DynamoDB JSON: {"score": {"N": "0.7"}}
SHOWN = 10  # items that are named for a broken rule


class Invariants:
    """Feed it every item once, then ask what is broken."""

    def __init__(self, rules: Sequence[Invariant], keys: Sequence[str]) -> None:
        self._rules, self._keys = rules, keys
        self._items = 0
        self._broken: dict[str, list[str]] = {rule.name: [] for rule in rules}
        self._counts: dict[str, int] = dict.fromkeys(self._broken, 0)

    def see(self, item: Item) -> None:
        self._items += 1
        for rule in self._rules:
            if rule.attribute and not holds(rule, item):
                self._counts[rule.name] += 1
                if len(self._broken[rule.name]) < SHOWN:
                    self._broken[rule.name].append(key_text(item, self._keys))

    def broken(self) -> Iterator[tuple[Invariant, str]]:
        """Each rule that does not hold, with a sentence naming the items or the count."""
        for rule in self._rules:
            if rule.at_least_items is not None and self._items < rule.at_least_items:
                yield rule, f"{self._items} items, at least {rule.at_least_items} wanted"
            elif count := self._counts[rule.name]:
                yield rule, f"broken by {count} items, such as {', '.join(self._broken[rule.name])}"


def holds(rule: Invariant, item: Item) -> bool:
    """Whether one item keeps a rule about one of its attributes."""
    value = item.get(rule.attribute or "")
    if value is None:
        return rule.optional
    ((type_, content),) = value.items()
    if rule.type is not None and type_ != rule.type:
        return False
    if rule.one_of and str(content) not in rule.one_of:
        return False
    if rule.minimum is None and rule.maximum is None:
        return True
    if type_ != "N":
        return False
    number = Decimal(content)  # exact: DynamoDB numbers have 38 digits
    return (rule.minimum is None or number >= Decimal(str(rule.minimum))) and (
        rule.maximum is None or number <= Decimal(str(rule.maximum))
    )


def key_text(item: Item, keys: Sequence[str]) -> str:
    """An item's key as people read it."""
    return " ".join(f"{name}={next(iter(item[name].values()))}" for name in keys if name in item)
