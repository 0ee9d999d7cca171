"""The manifest as JSON Schema, for editors: completion, descriptions and spelling while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfright.domain.manifest.layering import Path
from selfright.domain.manifest.workload import Workload

_LEFT_OUT = {"required", "discriminator", "title"}
_FOR_READERS = {"description", "default"}


def manifest_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one manifest file, base or overlay.

    A file alone is only a part of a manifest, so nothing is required in it, and null, which removes what the
    base says, is allowed everywhere. `load` checks the whole.
    """
    schema: dict[str, Any] = _for_one_layer(Workload.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Selfright workload",
    }


def field_names(path: Path, document: Any) -> list[str]:
    """The fields that a manifest may have at `path`; `type` in the document decides between alternatives."""
    schema = Workload.model_json_schema()
    node: Mapping[str, Any] = schema
    for part in path:
        document = document[part]
        below = node.get("properties", {}).get(part) or _entry(node)
        node = _follow(below, document, schema["$defs"])
    return list(node.get("properties", {}))


def _entry(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The description that all entries of a mapping or a list share."""
    entry: Mapping[str, Any] = (
        node["items"] if "items" in node else next(iter(node["patternProperties"].values()))
    )
    return entry


def _follow(node: Mapping[str, Any], document: Any, definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """From a reference or a list of alternatives to the description that fits the document."""
    reference = node.get("$ref")
    if "discriminator" in node:
        reference = node["discriminator"]["mapping"][document["type"]]
    for alternative in node.get("anyOf", ()):  # an optional section: itself or null
        reference = reference or alternative.get("$ref")
    found: Mapping[str, Any] = definitions[reference.removeprefix("#/$defs/")] if reference else node
    return found


def _for_one_layer(node: Any) -> Any:
    """Nothing required, null allowed, and alternatives that need not be told apart by their `type`."""
    if isinstance(node, list):
        return [_for_one_layer(item) for item in node]
    if not isinstance(node, dict):
        return node
    relaxed: dict[str, Any] = {}
    for keyword, value in node.items():
        if keyword in {"properties", "patternProperties"}:
            relaxed[keyword] = {name: _or_null(_for_one_layer(child)) for name, child in value.items()}
        elif keyword == "$defs":
            relaxed[keyword] = {name: _for_one_layer(child) for name, child in value.items()}
        elif keyword not in _LEFT_OUT:
            relaxed["anyOf" if keyword == "oneOf" else keyword] = _for_one_layer(value)
    if "patternProperties" in relaxed:
        relaxed["additionalProperties"] = False
    return relaxed


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    null = {"type": "null"}
    if null in node.get("anyOf", ()):
        return node
    told = {keyword: value for keyword, value in node.items() if keyword in _FOR_READERS}
    return {**told, "anyOf": [{keyword: node[keyword] for keyword in node if keyword not in told}, null]}
