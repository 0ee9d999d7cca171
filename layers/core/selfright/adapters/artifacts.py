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
        place = f"s3://{artifact.bucket}/{artifact.key}"
        which = {"VersionId": artifact.object_version} if artifact.object_version else {}
        with translated(f"reading {place}"):
            found = self._aws.client("s3").get_object(Bucket=artifact.bucket, Key=artifact.key, **which)
            if found["ContentLength"] > largest:
                raise RefusedError(f"{place} has {found['ContentLength']} bytes, more than {largest}")
            content: bytes = found["Body"].read()
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise RefusedError(f"{place} is not the file that was asked for: its sha256 differs")
        return content
