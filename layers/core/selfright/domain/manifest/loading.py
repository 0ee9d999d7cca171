"""From two YAML documents to one workload, or to the one error that says what to mend and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from selfright.domain.errors import ManifestError
from selfright.domain.manifest.breach import Breach
from selfright.domain.manifest.layering import comes_from_overlay, is_written, merge, without_nulls
from selfright.domain.manifest.references import breaches
from selfright.domain.manifest.workload import Environment, Workload


def load(
    base: Mapping[str, Any],
    overlay: Mapping[str, Any],
    environment: str,
    *,
    base_file: str = "base.yaml",
    overlay_file: str | None = None,
) -> Workload:
    """Lay one environment's overlay over the base and validate the result as a whole.

    Mappings merge by key, lists and scalars replace, an explicit null removes. Both arguments hold what a
    YAML or JSON file can hold. Raises ManifestError, naming the file that the offending value came from, and
    BadInputError for an unknown environment.
    """
    environment = Environment.parse(environment)
    overlay_file = overlay_file or f"{environment}.yaml"
    for file, layer in ((base_file, base), (overlay_file, overlay)):
        if layer.get("environment", environment) != environment:
            raise ManifestError(
                file, "environment", f"must be {environment}, as the overlay's name says, or left out"
            )

    document = without_nulls(merge(base, overlay)) | {"environment": environment}
    try:
        workload = Workload.model_validate(document, context=_placeholders(document))
    except ValidationError as error:
        from selfright.domain.manifest.explaining import first_breach

        found = first_breach(error.errors(include_url=False), document)
    else:
        if (broken := next(breaches(workload), None)) is None:
            return workload
        found = broken

    breach, from_overlay = _blame(found, base, overlay)
    field = ".".join(str(part) for part in breach.path)
    raise ManifestError(overlay_file if from_overlay else base_file, field, breach.rule)


def _placeholders(document: Mapping[str, Any]) -> dict[str, str]:
    """What {workload} and {environment} stand for in names; nothing while the workload has no name."""
    name = document.get("workload")
    return {"workload": name.strip(), "environment": document["environment"]} if isinstance(name, str) else {}


def _blame(breach: Breach, base: Mapping[str, Any], overlay: Mapping[str, Any]) -> tuple[Breach, bool]:
    """The view of a breach to report, and whether the overlay caused it."""
    if breach.other:
        for layer in (overlay, base):
            for view in (breach, breach.other):
                if is_written(layer, view.path):
                    return view, layer is overlay
    return breach, comes_from_overlay(base, overlay, breach.path)
