"""Files of a release in S3, taken only where they are what was asked for."""

from __future__ import annotations

import hashlib

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import RefusedError
from selfright.domain.release import CodeArtifact


class S3Artifacts:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read(self, artifact: CodeArtifact, largest: int) -> bytes:
        which = {"VersionId": artifact.object_version} if artifact.object_version else {}
        with translated(f"reading {artifact.place}"):
            found = self._aws.client("s3").get_object(Bucket=artifact.bucket, Key=artifact.key, **which)
            if found["ContentLength"] > largest:
                raise RefusedError(
                    f"{artifact.place} has {found['ContentLength']} bytes, more than {largest}"
                )
            content: bytes = found["Body"].read()
        see_that_it_is(artifact, hashlib.sha256(content).hexdigest())
        return content


def see_that_it_is(artifact: CodeArtifact, sha256: str) -> None:
    """Whether what lies there, by its digest (hex), is what was asked for. Raises RefusedError."""
    if sha256 != artifact.sha256:
        raise RefusedError(f"{artifact.place} is not the file that was asked for: its sha256 differs")
