"""Documents in S3: one version of an object, and no more of it than was asked for."""

from __future__ import annotations

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.uploads import S3Uploads
from selfright.domain.errors import BadInputError, NotFoundError

BUCKET = "uploads"


@pytest.fixture
def versions(aws: Aws) -> list[str]:
    """Two versions of one object, oldest first."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return [
        s3.put_object(Bucket=BUCKET, Key="releases/a.json", Body=body)["VersionId"]
        for body in (b"old", b"newer")
    ]


def test_an_object_is_read_as_it_was_uploaded(aws: Aws, versions: list[str]):
    uploads = S3Uploads(aws)

    assert uploads.read(BUCKET, "releases/a.json", versions[0], 5) == b"old"
    assert uploads.read(BUCKET, "releases/a.json", None, 5) == b"newer"
    with pytest.raises(BadInputError, match="at most 4 bytes"):
        uploads.read(BUCKET, "releases/a.json", None, 4)
    with pytest.raises(NotFoundError, match="reading s3://uploads/releases/b"):
        uploads.read(BUCKET, "releases/b.json", None, 5)
