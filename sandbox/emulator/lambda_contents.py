"""What an execution environment holds: its code, its layers, the runtime's own packages, its variables.

Code and layers are unpacked once per content and shared by all environments (on AWS they are read-only). The
handler finds its own code first, then the layers (the last one named wins), then what the Lambda runtime brings:
boto3 and what it needs, and nothing else of the emulator's virtual environment.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from sandbox.emulator.clock import ENVIRONMENT_VARIABLE
from sandbox.emulator.wrapping import original

# What AWS documents as part of the Python runtimes.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
# Not set on AWS: where this AWS is, what time it is in it, and how long it is waited for (lambda_bootstrap.py).
SANDBOX_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_DISABLE_HOST_PREFIX_INJECTION",
    "SELFRIGHT_SANDBOX_PATIENCE",
    ENVIRONMENT_VARIABLE,
)

_unpacking = threading.Lock()


def unpack(content: bytes) -> Path:
    """The folder with the unpacked `content`, made on first use."""
    folder = _root() / hashlib.sha256(content).hexdigest()
    with _unpacking:
        if not folder.exists():
            half_done = Path(tempfile.mkdtemp(dir=_root()))
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in archive.infolist():
                    extracted = archive.extract(member, half_done)
                    mode = member.external_attr >> 16
                    if mode & 0o111:
                        Path(extracted).chmod(mode & 0o777)
            half_done.rename(folder)
    return folder


def layer_folders(config: dict[str, Any]) -> list[Path]:
    """The unpacked layers of a function, in the order in which it names them."""
    from ministack.services import lambda_svc

    contents = [original(lambda_svc, "_resolve_layer_zip")(layer) for layer in config.get("Layers") or []]
    return [unpack(content) for content in contents if content]


def search_path(task_root: Path, layers: list[Path]) -> list[tuple[str, str]]:
    """Where the handler's imports are looked up, before the standard library: folders and their names on AWS."""
    in_layers = [
        (folder, f"/opt/{folder.relative_to(layer)}")
        for layer in reversed(layers)
        for folder in (*sorted(layer.glob("python/lib/python3.*/site-packages")), layer / "python")
        if folder.is_dir()
    ]
    folders = [(task_root, "/var/task"), *in_layers, (_runtime_packages(), "/var/runtime")]
    return [(str(folder), name) for folder, name in folders]


def variables(
    config: dict[str, Any], task_root: Path, layers: list[Path], home: Path, log_stream: str
) -> dict[str, str]:
    """All environment variables of a function: as on AWS, and nothing of the emulator's own.

    A function's own setting of a name that Lambda reserves is ignored; AWS refuses it on create. A path below
    /opt or /var/task is given as where it lies here: a process cannot have a root folder of its own.
    """
    from ministack.core import lambda_runtime

    account_region = original(lambda_runtime, "_account_region_from_function_config")(config)
    own: dict[str, str] = (config.get("Environment") or {}).get("Variables") or {}
    (home / "tmp").mkdir(exist_ok=True)
    return {
        "LANG": "C.UTF-8",  # en_US on AWS; this one exists on every Linux
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        # AWS has a private /tmp and no ~/.aws; here both must not be those of the developer.
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        **{key: os.environ[key] for key in SANDBOX_VARIABLES if key in os.environ},
        **{name: _relocated(value, task_root, layers) for name, value in own.items()},
        "_HANDLER": config["Handler"],
        "AWS_REGION": account_region[1],
        "AWS_DEFAULT_REGION": account_region[1],
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": config["Version"],
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(config),
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "LAMBDA_TASK_ROOT": str(task_root),
        **original(lambda_runtime, "execution_credentials")(config),
    }


def _relocated(value: str, task_root: Path, layers: list[Path]) -> str:
    for root, folders in (("/var/task/", [task_root]), ("/opt/", layers[::-1])):
        if value.startswith(root):
            here = [folder / value.removeprefix(root) for folder in folders]
            return str(next((path for path in here if path.exists()), value))
    return value


def log_group(config: dict[str, Any]) -> str:
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


def _runtime_packages() -> Path:
    """A folder that shows the runtime's packages, and only those, out of the emulator's site-packages."""
    folder = _root() / "runtime"
    with _unpacking:
        if not folder.exists():
            half_done = Path(tempfile.mkdtemp(dir=_root()))
            for name in RUNTIME_PACKAGES:
                found = importlib.util.find_spec(name)
                if found is None or found.origin is None:
                    raise RuntimeError(f"{name} is missing beside MiniStack; run `make emulator`")
                source = Path(found.origin)
                source = source.parent if source.name == "__init__.py" else source
                (half_done / source.name).symlink_to(source)
            half_done.rename(folder)
    return folder


def _root() -> Path:
    """Below the emulator's TMPDIR, which `sandbox down` deletes."""
    folder = Path(tempfile.gettempdir()) / f"lambda-contents-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    return folder


def discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
