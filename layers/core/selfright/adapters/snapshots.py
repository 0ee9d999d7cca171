"""Workloads and runbooks as they were validated when the layer was built: a cold start need not read YAML again.

python -m selfright.adapters.snapshots CONTENT      write them into the folder with workloads/ and runbooks/

A snapshot is to YAML what bytecode is to source: made by the build, never edited, passed over where it does not fit.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pydantic

from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Environment

RUNBOOKS = "runbooks"


def read_snapshot(content: Path, name: str) -> Any:
    """What the build has kept under `name`: RUNBOOKS, or workloads of an environment. None where YAML must be read.

    Models are kept as pydantic lays them out in memory, so that only the version that wrote them reads them.
    """
    try:
        version, _, kept = (content / f"{name}.snapshot").read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return pickle.loads(kept) if version.decode() == pydantic.VERSION else None  # noqa: S301 - as trusted as our code


def write_snapshots(content: Path) -> None:
    """Read and validate everything in `content`, and keep it there.

    Raises ManifestError naming file, line, field and rule: what is not valid does not get into a layer.
    """
    from selfright.adapters.manifest_files import load_workloads
    from selfright.adapters.runbook_files import load_runbooks

    kept: dict[str, object] = {RUNBOOKS: load_runbooks(content / "runbooks")}
    kept |= {environment: load_workloads(content / "workloads", environment) for environment in Environment}
    for name, value in kept.items():
        head = f"{pydantic.VERSION}\n".encode()
        (content / f"{name}.snapshot").write_bytes(head + pickle.dumps(value, protocol=5))


if __name__ == "__main__":
    try:
        write_snapshots(Path(sys.argv[1]))
    except BadInputError as error:
        sys.exit(str(error))
