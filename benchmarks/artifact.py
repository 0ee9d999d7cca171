"""The built control plane as Lambda would see it: layers, rooms, and the runtime's boto3. And an unbuilt checkout."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rounds import BenchmarkError
from sandbox.deployment import build
from sandbox.lifecycle import HOME
from sandbox.server import EMULATOR_PYTHON, ROOT

# What Lambda's Python runtime brings along, by the names of its folders.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py")


@dataclass(frozen=True)
class Artifact:
    """`layers` in the order of sys.path; `runtime` holds boto3 and what it needs, nothing else of that environment."""

    layers: tuple[Path, ...]
    runtime: Path
    content: Path
    models: Path

    def paths(self, room: str) -> list[str]:
        return [str(p) for p in (ROOT / "functions" / room, *self.layers, self.runtime)]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that template.yaml gives its functions, and Lambda every function."""
        return {
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "POWERTOOLS_SERVICE_NAME": "selfright",
            "POWERTOOLS_METRICS_NAMESPACE": "Selfright",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "SELFRIGHT_ENVIRONMENT": "development",
            "SELFRIGHT_CONTENT": str(self.content),
            "AWS_DATA_PATH": str(self.models),
            "SELFRIGHT_TABLE": "ledger",
            "SELFRIGHT_RESPOND_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:respond",
            "SELFRIGHT_ALERTS_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:alerts",
            "SELFRIGHT_FLAG_STRATEGY": "strategy",
            "SELFRIGHT_SWITCH_APPLICATION": "application",
            "SELFRIGHT_SWITCH_ENVIRONMENT": "environment",
            "SELFRIGHT_SWITCH_PROFILE": "switches",
        }


@contextmanager
def artifacts() -> Iterator[tuple[Artifact, Artifact]]:
    """The built one, and the same from a checkout: sources as they lie there, bytecode as Python itself keeps it."""
    built = build(ROOT / "template.yaml", HOME / "build" / "selfright", "sandbox").template
    core, vendor = (built.parent / name / "python" for name in ("CoreLayer", "VendorLayer"))
    with tempfile.TemporaryDirectory(prefix="selfright-bench-") as name:
        folder = Path(name)
        runtime = folder / "runtime"
        runtime.mkdir()
        packages = next((EMULATOR_PYTHON.parent.parent / "lib").glob("python3.*")) / "site-packages"
        for package in RUNTIME:
            if not (packages / package).exists():
                raise BenchmarkError(f"{packages} has no {package}; run `make emulator`")
            (runtime / package).symlink_to(packages / package)
        (folder / "core").mkdir()
        without_bytecode = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "layers/core/selfright", folder / "core/selfright", ignore=without_bytecode)
        shutil.copytree(vendor, folder / "vendor", ignore=without_bytecode)
        content = folder / "content"
        content.mkdir()
        for part in ("runbooks", "workloads"):
            shutil.copytree(ROOT / part, content / part)
        yield (
            Artifact((core, vendor), runtime, core / "selfright_content", core / "selfright_models"),
            Artifact((folder / "core", folder / "vendor"), runtime, content, core / "selfright_models"),
        )
