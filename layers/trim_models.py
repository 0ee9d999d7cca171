"""Copy botocore's models of the services that our code speaks to, so that a cold start reads them in no time.

botocore ships them gzipped with all their documentation, and the endpoints of every service in one file of 1.2 MB.
Here they lie as plain JSON: every operation and shape, no prose, no examples, and only those services' endpoints.
botocore finds them through AWS_DATA_PATH (template.yaml); what is not here, it takes from its own.

Standard library only, see build_layer.py.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

# How adapters ask for a client: the literal is the list of services, so it cannot be forgotten here.
CLIENT = re.compile(r"""\.(?:client|lean)\(\s*["']([a-z0-9-]+)["']""")
LEAN = re.compile(r"""\.lean\(\s*["']([a-z0-9-]+)["']""")
# What botocore's authors add to a model lies beside it and is looked for in the same folders.
WANTED = (
    "service-2",
    "service-2.sdk-extras",
    "endpoint-rule-set-1",
    "paginators-1",
    "paginators-1.sdk-extras",
    "waiters-2",
)


def services_of(package: Path, asked: re.Pattern[str] = CLIENT) -> list[str]:
    """The services that the code below `package` makes clients of; `asked` is how."""
    return sorted({name for file in package.rglob("*.py") for name in asked.findall(file.read_text("utf-8"))})


def trim_models(data: Path, services: list[str], target: Path) -> None:
    """Write the models of `services`, found in botocore's `data` folder, below `target`."""
    prefixes = set()
    for service in services:
        newest = max(path.name for path in (data / service).iterdir() if path.is_dir())
        (target / service / newest).mkdir(parents=True)
        for name in WANTED:
            if (model := _read(data / service / newest, name)) is not None:
                if name == "service-2":
                    prefixes.add(model["metadata"]["endpointPrefix"])
                _write(target / service / newest / f"{name}.json", _without_prose(model))
    endpoints = _read(data, "endpoints")
    for partition in endpoints["partitions"]:
        kept = {name: part for name, part in partition["services"].items() if name in prefixes}
        partition["services"] = kept
    _write(target / "endpoints.json", endpoints)


def _read(folder: Path, name: str) -> Any:
    for file in (folder / f"{name}.json", folder / f"{name}.json.gz"):
        if file.exists():
            raw = file.read_bytes()
            return json.loads(gzip.decompress(raw) if file.suffix == ".gz" else raw)
    return None


def _without_prose(node: Any) -> Any:
    """The model without its `documentation` texts; a shape or member of that name is no text and stays."""
    if isinstance(node, dict):
        return {
            # botocore reads the texts of these few parameters (S3 has some) and fails without
            key: value if key == "clientContextParams" else _without_prose(value)
            for key, value in node.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_without_prose(value) for value in node]
    return node


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")))
