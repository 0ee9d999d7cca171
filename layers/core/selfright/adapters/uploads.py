"""Documents that people and CI put into S3."""

from __future__ import annotations

from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import BadInputError


class S3Uploads:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def read(self, bucket: str, key: str, version: str | None, largest: int) -> bytes:
        which = {"VersionId": version} if version else {}
        place = f"s3://{bucket}/{key}"
        with translated(f"reading {place}"):
            found: Any = self._aws.client("s3").get_object(Bucket=bucket, Key=key, **which)
            content: bytes = found["Body"].read(largest + 1)
        if len(content) > largest:
            raise BadInputError("request", f"must be at most {largest} bytes, {place} is larger")
        return content
