"""What the parts of two exports came to, as JSON in the evidence bucket, beside the exports."""

from __future__ import annotations

import json
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.backup.steps import StoredList


class S3PartResults:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    def write(self, key: str, document: Any) -> StoredList:
        with translated(f"writing {key}"):
            self._aws.client("s3").put_object(
                Bucket=self._bucket,
                Key=key,
                Body=json.dumps(document, separators=(",", ":")).encode(),
                ContentType="application/json",
            )
        return StoredList(bucket=self._bucket, key=key)

    def read(self, key: str) -> Any:
        with translated(f"reading {key}"):
            return json.loads(self._aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read())
