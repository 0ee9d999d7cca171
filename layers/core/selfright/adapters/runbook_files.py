"""Reads runbooks/*.yaml from disk."""

from __future__ import annotations

from pathlib import Path

import yaml

from selfright.domain.errors import ManifestError
from selfright.domain.runbook import Runbook, parse_runbook

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_runbooks(folder: Path) -> tuple[Runbook, ...]:
    """Every runbook in `folder`, in the order of file names.

    Raises ManifestError naming the file, the field and the rule.
    """
    return tuple(load_runbook(path) for path in sorted(folder.glob("*.yaml")))


def load_runbook(path: Path) -> Runbook:
    """One runbook; its id is its file's name.

    Raises ManifestError naming the file, the field and the rule.
    """
    try:
        text = yaml.load(path.read_text(), Loader=Loader)  # noqa: S506 - a safe loader, the C one where present
    except (OSError, yaml.YAMLError) as error:
        raise ManifestError(path.name, "(whole file)", f"must be readable YAML: {error}") from None
    if not isinstance(text, dict):
        raise ManifestError(path.name, "(whole file)", "must be a mapping")
    runbook = parse_runbook(path.name, text)
    if runbook.id != path.stem:
        raise ManifestError(path.name, "id", f"must be the file's name, {path.stem}")
    return runbook
