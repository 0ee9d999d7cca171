"""Builds of the sample workload that a release can put live: one that harms nobody, and ones that do."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from typing import Any

from sandbox.faults.defective_release import CRASHING, HARMLESS, Edit, edited
from sandbox.server import Server
from sandbox.workload import FUNCTIONS

BUCKET = "opportunity-analysis-artifacts"

# One analysis in twenty meets an opportunity whose number ends so, and crashes.
CRASHING_RARELY = (
    Edit(
        "orchestrate.py",
        '    session_id = event.get("session_id")\n',
        '    session_id = event.get("session_id")\n    1 / (hash(request_id) % 20)\n',
    ),
)

# Whoever asks as users do is told that it is their own mistake: no crash, no error of ours, no alarm.
REFUSING_EVERYBODY = (
    Edit(
        "orchestrate.py",
        "    if not isinstance(session_id, str) or not session_id:\n",
        "    if not isinstance(session_id, int):\n",
    ),
)

# Every analysis takes three times as long.
SLOW = (
    Edit("orchestrate.py", "import os\n", "import os\nimport time\n"),
    Edit(
        "orchestrate.py",
        "            answer = _analyse(event, context.aws_request_id, watch)\n",
        "            began = time.monotonic()\n"
        "            answer = _analyse(event, context.aws_request_id, watch)\n"
        "            time.sleep(2 * (time.monotonic() - began))\n",
    ),
)

BUILDS: dict[str, tuple[Edit, ...]] = {
    "good": HARMLESS,
    "errors-30": CRASHING,
    "errors-5": CRASHING_RARELY,
    "latency": SLOW,
    "smoke": REFUSING_EVERYBODY,
}


# Its names are what AppConfig's validator knows; that a number is no text only the code knows.
BROKEN_TUNING = {"max_output_tokens": "700"}


def package(build: str) -> bytes:
    """The workload's code as it lies here, with the build's edits."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for file in sorted(FUNCTIONS.rglob("*.py")):
            archive.write(file, str(file.relative_to(FUNCTIONS)))
    return edited(made.getvalue(), BUILDS[build])


def bucket(server: Server) -> Any:
    """S3's client, once the artifact bucket exists."""
    s3 = server.client("s3")
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.create_bucket(Bucket=BUCKET)
    return s3


def upload(server: Server, build: str, release_id: str) -> dict[str, Any]:
    """Put a build into the artifact bucket; how a release request names it."""
    return _put(server, f"{release_id}/functions.zip", package(build))


def upload_tuning(server: Server, tuning: dict[str, Any] | str, release_id: str) -> dict[str, Any]:
    """Put a configuration there, or a text that is none; how a release request names it."""
    text = tuning if isinstance(tuning, str) else json.dumps(tuning)
    return _put(server, f"{release_id}/tuning.json", text.encode())


def upload_definition(server: Server, definition: str, release_id: str) -> dict[str, Any]:
    """Put a state machine's definition there, with its substitutions made."""
    return _put(server, f"{release_id}/workflow.asl.json", definition.encode())


def _put(server: Server, key: str, content: bytes) -> dict[str, Any]:
    bucket(server).put_object(Bucket=BUCKET, Key=key, Body=content)
    return {"bucket": BUCKET, "key": key, "sha256": hashlib.sha256(content).hexdigest()}
