"""Objects of the backup bucket: written with their SHA-256, which S3 checks and is asked for again."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from typing import IO, Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.backup.catalogue import Place, Tier
from selfright.domain.errors import SourceDownError
from selfright.recovery_ports import Stored

CHUNK = 1024 * 1024  # bytes hashed at once
CLASSES = {Tier.WARM: "STANDARD", Tier.DEEP: "DEEP_ARCHIVE"}


class S3BackupBucket:
    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    def put(self, key: str, content: IO[bytes], content_type: str, tier: Tier) -> Stored:
        digest, size = hashlib.sha256(), 0
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
        content.seek(0)
        with translated(f"writing {key}", changing=True):
            written = self._aws.client("s3").put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentLength=size,
                ContentType=content_type,
                StorageClass=CLASSES[tier],
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=b64encode(digest.digest()).decode(),
            )
        found = self.look(key, written.get("VersionId"))
        if (found.size, found.sha256) != (size, digest.hexdigest()):
            raise SourceDownError(f"{key} was read back with another size or checksum than was written")
        return found

    def look(self, key: str, version: str | None = None) -> Stored:
        """What S3 has there, of an object that was written with its SHA-256."""
        of_version = {"VersionId": version} if version else {}
        with translated(f"reading {key} back"):
            head = self._aws.client("s3").head_object(
                Bucket=self._bucket, Key=key, ChecksumMode="ENABLED", **of_version
            )
        place = Place(bucket=self._bucket, key=key, version=head.get("VersionId"))
        return Stored(place, head["ContentLength"], b64decode(head.get("ChecksumSHA256", "")).hex())

    def read(self, place: Place) -> bytes:
        of_version = {"VersionId": place.version} if place.version else {}
        with translated(f"reading {place.key}"):
            body: Any = self._aws.client("s3").get_object(
                Bucket=place.bucket or self._bucket, Key=place.key, **of_version
            )["Body"]
            content: bytes = body.read()
        return content
