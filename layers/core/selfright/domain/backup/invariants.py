"""What must hold of a table's items for the application, whatever the backup: rules of the manifest, one pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from selfright.domain.backup.sentinel import written_at
from selfright.domain.backup.verdict import FROZEN, Item
from selfright.domain.manifest import Invariant

SHOWN = 10  # items that are named for a broken rule


class Watched(BaseModel):
    """What was seen of items: of one part, or of several added up. Small: it names some of what is broken only."""

    model_config = FROZEN

    items: int = 0
    counts: Mapping[str, int] = {}  # broken rules by name, by how many items
    broken: Mapping[str, tuple[str, ...]] = {}  # the same, and some of the items
    witness: datetime | None = None  # when the newest sentinel among them was written

    def __add__(self, other: Watched) -> Watched:
        names = self.counts.keys() | other.counts.keys()
        witnesses = [one.witness for one in (self, other) if one.witness]
        return Watched(
            items=self.items + other.items,
            counts={name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in sorted(names)},
            broken={
                name: (*self.broken.get(name, ()), *other.broken.get(name, ()))[:SHOWN]
                for name in sorted(names)
            },
            witness=max(witnesses, default=None),
        )


def watch(items: Iterable[Item], rules: Sequence[Invariant], keys: Sequence[str]) -> Watched:
    """Hold items against the rules; our own sentinel among them is no item of the application."""
    seen, counts, broken = 0, Counter[str](), defaultdict[str, list[str]](list)
    witness: datetime | None = None
    for item in items:
        if written := written_at(item, keys):
            witness = max(written, witness or written)
            continue
        seen += 1
        for rule in rules:
            if rule.attribute and not holds(rule, item):
                counts[rule.name] += 1
                if len(broken[rule.name]) < SHOWN:
                    broken[rule.name].append(key_text(item, keys))
    named = {name: tuple(keys) for name, keys in broken.items()}
    return Watched(items=seen, counts=counts, broken=named, witness=witness)


def broken_rules(rules: Sequence[Invariant], seen: Watched) -> Iterator[tuple[Invariant, str]]:
    """Each rule that does not hold, with a sentence naming the items or the count."""
    for rule in rules:
        if rule.at_least_items is not None and seen.items < rule.at_least_items:
            yield rule, f"{seen.items} items, at least {rule.at_least_items} wanted"
        elif count := seen.counts.get(rule.name, 0):
            yield rule, f"broken by {count} items, such as {', '.join(seen.broken[rule.name])}"


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
