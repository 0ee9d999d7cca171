"""Build a template and deploy it with the real SAM CLI, to the sandbox as to AWS."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sandbox.server import REGION, ROOT, SandboxError, Server

SAM = ROOT / ".envs" / "sam" / "bin" / "sam"
ARTIFACT_BUCKET = "selfright-artifacts"

# sam waits this long between two looks at the stack; its default of 5 s is most of a local deployment's time.
POLL_SECONDS = 0.1
# A stack whose custom resource never answers stays IN_PROGRESS for ever.
DEPLOY_TIMEOUT = 120.0
TAIL_LINES = 15
BUILDS_KEPT = 3

# What a built template is made from, besides the template itself: only layers are built. Functions
# (`SkipBuild`) and state machines are taken from where they lie when they are deployed.
LAYER_INPUTS = (
    "layers/build_layer.py",
    "layers/lean_services.py",
    "layers/trim_models.py",
    "layers/core",
    "layers/vendor",
    "locks/dev.txt",  # these two bring the botocore whose models are trimmed
    "locks/emulator.txt",
    "locks/vendor.txt",
    "runbooks",
)
SHIPPED = "workloads"


class DeploymentError(SandboxError):
    """sam or CloudFormation refused; the message holds what both said."""


@dataclass(frozen=True)
class Build:
    """A built template, ready to deploy. `reused`: nothing that goes into it had changed."""

    template: Path
    reused: bool
    seconds: float


def build(
    template: Path, build_dir: Path, target: Literal["aws", "sandbox"], workloads: Path | None = None
) -> Build:
    """Run `sam build` on `template`, unless `build_dir` holds a build of the same inputs.

    `workloads`: the folder of manifests that go into the layer; without it, those of the project.

    Each build has a folder of its own, named by the digest of its inputs and never changed again: another
    process may be deploying from it.
    Raises DeploymentError with the last lines of sam's output.
    """
    started = time.monotonic()
    workloads = workloads or ROOT / SHIPPED
    template = template.resolve()
    if not template.is_file():
        raise DeploymentError(f"there is no template {template}")
    build_dir.mkdir(parents=True, exist_ok=True)
    with _alone_in(build_dir):
        built = build_dir / digest_of_inputs(template, target, workloads)[:16]
        reused = built.exists()
        if reused:
            os.utime(built)
        else:
            _build_into(built, template, target, workloads)
            _forget_old_builds(build_dir)
    return Build(built / "template.yaml", reused, time.monotonic() - started)


def _build_into(built: Path, template: Path, target: str, workloads: Path) -> None:
    unfinished = built.with_name("unfinished")
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "SELFRIGHT_TARGET": target,
        "SELFRIGHT_WORKLOADS": str(workloads),
        "SELFRIGHT_USER_HOME": os.environ.get("HOME", ""),
    }
    arguments = ["build", "--parallel", "--template", str(template), "--build-dir", str(unfinished)]
    try:
        _sam(arguments, environment, built.parent)
        unfinished.rename(built)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _forget_old_builds(build_dir: Path) -> None:
    folders = sorted(
        (path for path in build_dir.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for folder in folders[:-BUILDS_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def deploy(server: Server, template: Path, stack_name: str, parameters: dict[str, str]) -> dict[str, str]:
    """Create or update the stack from a built template; answers its outputs.

    Raises DeploymentError with the last lines of sam's output and the events of what failed.
    """
    _ensure_bucket(server)
    arguments = [
        "deploy",
        *("--template-file", str(template), "--stack-name", stack_name),
        *("--s3-bucket", ARTIFACT_BUCKET, "--region", REGION),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
    ]
    if parameters:
        arguments += ["--parameter-overrides", *(override(*parameter) for parameter in parameters.items())]
    environment = {**server.environment(), "SAM_CLI_POLL_DELAY": str(POLL_SECONDS)}
    cloudformation = server.client("cloudformation")
    try:
        _sam(arguments, environment, server.folder, timeout=DEPLOY_TIMEOUT)
    except DeploymentError as error:
        failed = "\n".join(_failed_events(cloudformation, stack_name))
        raise DeploymentError(f"stack {stack_name}: {error}" + (f"\n{failed}" if failed else "")) from None
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _sam(
    arguments: list[str], environment: dict[str, str], folder: Path, timeout: float | None = None
) -> None:
    """Run sam with a home and a temporary folder of its own, which it leaves full of what it forgets."""
    if not SAM.exists():
        raise DeploymentError("the SAM CLI is not installed; run `make sam`")
    home = Path(tempfile.mkdtemp(prefix="sam-", dir=folder))
    surroundings = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(home),
        "SAM_CLI_TELEMETRY": "0",
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))},
        **environment,
    }
    try:
        ended = subprocess.run(  # noqa: S603
            [str(SAM), *arguments],
            env=surroundings,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise DeploymentError(f"`sam {arguments[0]}` did not end within {expired.timeout:.0f} s") from None
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if ended.returncode:
        raise DeploymentError(f"`sam {arguments[0]}` failed:\n{what_went_wrong(ended.stdout)}")


def what_went_wrong(output: str) -> str:
    """The last lines of sam's output, from its own error message on where it gives one."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if line.startswith("Error:")]
    return "\n".join(lines[errors[-1] :] if errors else lines[-TAIL_LINES:])


def override(name: str, value: str) -> str:
    """One parameter as sam reads it: quoted, so that blanks and commas stay inside the value."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def _ensure_bucket(server: Server) -> None:
    s3 = server.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.create_bucket(Bucket=ARTIFACT_BUCKET)


def _failed_events(cloudformation: Any, stack_name: str) -> list[str]:
    """What failed and why, oldest first; nothing where not even a stack came to be."""
    from botocore.exceptions import ClientError

    try:
        events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
    except ClientError:
        return []
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}) {event['ResourceStatus']}: "
        f"{event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]


def digest_of_inputs(template: Path, target: str, workloads: Path | None = None) -> str:
    """One digest over everything `sam build` reads: names and bytes, in a fixed order."""
    digest = hashlib.sha256(f"{target}\0{template}\0{SAM.stat().st_mtime_ns}\0".encode())
    files = [template]
    for path in (*(ROOT / entry for entry in LAYER_INPUTS), workloads or ROOT / SHIPPED):
        files += [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        if "__pycache__" not in file.parts:
            digest.update(f"{file}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process builds in `folder`; the lock goes with the process that holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
