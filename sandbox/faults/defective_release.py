"""A release of the orchestrator: the running code with a mistake in it, or with a change that harms nobody."""

from __future__ import annotations

import base64
import io
import urllib.request
import zipfile
from dataclasses import dataclass
from typing import Any

from sandbox.server import SandboxError, Server
from sandbox.workload import stack_name

ALIAS = "live"
_PACKAGE = "opportunity_analysis"


@dataclass(frozen=True)
class Edit:
    """One change of one file: `old` stands in it exactly once."""

    file: str
    old: str
    new: str


CRASHING = (Edit("scoring.py", "    if ceiling is None:\n", "    if ceiling == 0:\n"),)

# As a real leak, but faster: 2 MiB a request show in a sandbox minute what takes production a day.
LEAKING = (
    Edit("analysis.py", "_LONGEST_SUMMARY = 600", "_kept: list[bytes] = []\n_LONGEST_SUMMARY = 600"),
    Edit("analysis.py", "    return Report(", '    _kept.append(b"." * 2**21)\n    return Report('),
)

HARMLESS = (Edit("analysis.py", "_LONGEST_SUMMARY = 600", "_LONGEST_SUMMARY = 590"),)


def look(server: Server, environment: str) -> dict[str, Any]:
    """Which version is live, and the code that the next release starts from."""
    client = server.client("lambda")
    name = _function(environment)
    alias = client.get_alias(FunctionName=name, Name=ALIAS)
    with urllib.request.urlopen(client.get_function(FunctionName=name)["Code"]["Location"]) as answer:  # noqa: S310
        code = answer.read()
    return {
        "version": alias["FunctionVersion"],
        "weights": alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
        "code": base64.b64encode(code).decode(),
    }


def publish_crashing(server: Server, environment: str, before: dict[str, Any]) -> None:
    """Let the release go live that crashes on opportunities without a ceiling."""
    _release(server, environment, before, CRASHING)


def publish_leaking(server: Server, environment: str, before: dict[str, Any]) -> None:
    """Let the release go live that never forgets."""
    _release(server, environment, before, LEAKING)


def publish_harmless(server: Server, environment: str, before: dict[str, Any]) -> None:
    """Let a release go live that is as good as the one before."""
    _release(server, environment, before, HARMLESS)


def restore(server: Server, environment: str, before: dict[str, Any]) -> None:
    """The earlier version is live again, and the next release starts from its code.

    The defective version stays, as versions do: nobody is sent to it.
    """
    client = server.client("lambda")
    name = _function(environment)
    client.update_alias(
        FunctionName=name,
        Name=ALIAS,
        FunctionVersion=before["version"],
        RoutingConfig={"AdditionalVersionWeights": before["weights"]},
    )
    client.update_function_code(FunctionName=name, ZipFile=base64.b64decode(before["code"]))


def edited(code: bytes, edits: tuple[Edit, ...]) -> bytes:
    """The deployment package `code` with the edits made. Raises SandboxError where one does not fit."""
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for edit in edits:
        path = f"{_PACKAGE}/{edit.file}"
        text = files[path].decode()
        if text.count(edit.old) != 1:
            raise SandboxError(f"{path} holds {edit.old!r} {text.count(edit.old)} times, expected once")
        files[path] = text.replace(edit.old, edit.new).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # a fixed date: equal code, equal bytes
    return made.getvalue()


def _release(server: Server, environment: str, before: dict[str, Any], edits: tuple[Edit, ...]) -> None:
    client = server.client("lambda")
    name = _function(environment)
    code = edited(base64.b64decode(before["code"]), edits)
    version = client.update_function_code(FunctionName=name, ZipFile=code, Publish=True)["Version"]
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    client.update_alias(
        FunctionName=name, Name=ALIAS, FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}}
    )


def _function(environment: str) -> str:
    return f"{stack_name(environment)}-orchestrator"
