"""S3 by the sandbox's clock: which version was there at a moment can be told."""

from __future__ import annotations

from sandbox.server import Server


def test_versions_and_delete_markers_are_dated_in_sandbox_time(fast_aws: Server):
    # Given an object, deleted two sandbox minutes and more after it was made
    s3, bucket = fast_aws.client("s3"), "dated"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    before = fast_aws.now()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    between = fast_aws.now()
    while fast_aws.now() < between + 120:  # a second of the wall
        s3.list_objects_v2(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="a")
    # Then both are dated by that clock; S3 knows whole seconds
    found = s3.list_object_versions(Bucket=bucket)
    (version,), (marker,) = found["Versions"], found["DeleteMarkers"]
    assert before - 1 <= version["LastModified"].timestamp() <= between
    assert between + 119 <= marker["LastModified"].timestamp() <= fast_aws.now()
