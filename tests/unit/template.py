"""template.yaml as plain data."""

from __future__ import annotations

from cli.template import resources, template
from sandbox.server import ROOT

__all__ = ["ROOT", "resources", "template"]
