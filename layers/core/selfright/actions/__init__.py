"""The catalogue of actions: each changes named values of one resource, and can read them back and restore them."""

from __future__ import annotations

from selfright.actions import dynamodb
from selfright.ports import Action

ACTIONS: dict[str, Action] = {a.declaration.name: a for a in dynamodb.ACTIONS}
