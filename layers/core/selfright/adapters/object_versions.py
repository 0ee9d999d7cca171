"""Versions of objects in S3, and bringing one back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import RefusedError
from selfright.domain.recovery.objects import ObjectVersion

MOST_VERSIONS = 50_000  # S3 lists a thousand at once; more would not be read within a room's time


class S3ObjectVersions:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def versions(self, bucket: str, prefix: str) -> Sequence[ObjectVersion]:
        found: list[ObjectVersion] = []
        with translated(f"reading the versions in {bucket}"):
            if self._client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
                raise RefusedError(
                    f"bucket {bucket} keeps no versions: switch versioning on before the next loss"
                )
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                found += [_version(each) for each in page.get("Versions", ())]
                found += [_version(each, marker=True) for each in page.get("DeleteMarkers", ())]
                if len(found) > MOST_VERSIONS:
                    raise RefusedError(
                        f"more than {MOST_VERSIONS} versions begin with {prefix}: name a longer one"
                    )
        # S3 tells versions and markers apart, and moments in whole seconds.
        return sorted(found, key=lambda each: (each.key, -each.at.timestamp(), not each.latest))

    def copy_back(self, bucket: str, key: str, version: str) -> None:
        source = {"Bucket": bucket, "Key": key, "VersionId": version}
        with translated(f"copying {key} back", changing=True):
            self._client.copy_object(Bucket=bucket, Key=key, CopySource=source)

    @property
    def _client(self) -> Any:
        return self._aws.client("s3")


def _version(found: dict[str, Any], *, marker: bool = False) -> ObjectVersion:
    return ObjectVersion(
        key=found["Key"],
        version=found["VersionId"],
        at=found["LastModified"],
        latest=found["IsLatest"],
        marker=marker,
        size=found.get("Size", 0),
        etag=found.get("ETag", "").strip('"'),
    )
