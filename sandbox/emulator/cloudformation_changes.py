"""A change set lists a resource that takes an attribute from another resource than before, as AWS's does.

An alias that SAM points to a new version is such a one. MiniStack resolves both attributes to nothing, and finds no
difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import replace

Template = dict[str, Any]


def install(_clock: SandboxClock) -> None:
    from ministack.services.cloudformation import changesets

    def told_apart(before: Callable[..., Template]) -> Callable[..., Template]:
        def resolve(template: Template, *rest: Any) -> Template:
            return before(named(template), *rest)

        return resolve

    replace(changesets, "_resolve_props_for_diff", told_apart)


def named(value: Any) -> Any:
    """The same with a text in place of every Fn::GetAtt, which says whose attribute it is."""
    match value:
        case {"Fn::GetAtt": attribute}:
            whose = attribute if isinstance(attribute, str) else ".".join(map(str, attribute))
            return f"the attribute {whose}"
        case dict():
            return {key: named(one) for key, one in value.items()}
        case list():
            return [named(one) for one in value]
        case _:
            return value
