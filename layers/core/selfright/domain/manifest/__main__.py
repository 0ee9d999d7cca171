"""Print the manifest's JSON Schema: `python -m selfright.domain.manifest > workloads/schema.json`."""

from __future__ import annotations

import json
import sys

from selfright.domain.manifest.schema import manifest_schema

sys.stdout.write(json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n")
