"""The catalogue of actions: each changes named values of one resource, and can read them back and restore them."""

from __future__ import annotations

from selfright.actions import dynamodb, flags, functions, releases
from selfright.ports import Action

ACTIONS: dict[str, Action] = {
    a.declaration.name: a for family in (dynamodb, functions, flags, releases) for a in family.ACTIONS
}
