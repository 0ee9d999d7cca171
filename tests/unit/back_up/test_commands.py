"""`selfright backup code` and `selfright backup list`."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli import backup_list
from cli.main import app
from selfright.adapters.aws import Aws
from selfright.adapters.code_archive import GitRepository, tree_of
from selfright.adapters.recovery_points import DynamoDBRecoveryPoints
from selfright.domain.backup.catalogue import Place, RecoveryPoint, wanted
from selfright.domain.errors import BadInputError, RefusedError
from selfright.domain.manifest import load
from tests.unit.back_up.world import SHOP
from tests.unit.template import resources

BUCKET = "backups"


def git(folder: Path, *arguments: str) -> None:
    person = ("-c", "user.name=grace", "-c", "user.email=grace@example.org")
    command = ["git", "-C", str(folder), *person, *arguments]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the test's own words


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Lines that end as on Windows, a program, a link, and a file that is ignored but committed."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "app.py").write_bytes(b"print('hello')\r\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("app.py")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "kept.log").write_text("kept\n")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        found = Aws()
        where = {"LocationConstraint": "eu-central-1"}
        found.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        found.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield found
        # Another package's moto may be around this one, and is not reset with it.
        for page in found.client("s3").get_paginator("list_object_versions").paginate(Bucket=BUCKET):
            for kept in page.get("Versions", []):
                found.client("s3").delete_object(Bucket=BUCKET, Key=kept["Key"], VersionId=kept["VersionId"])
        found.client("s3").delete_bucket(Bucket=BUCKET)
        with contextlib.suppress(found.client("dynamodb").exceptions.ResourceNotFoundException):
            found.client("dynamodb").delete_table(TableName="backups-ledger")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["backup", *arguments])


def code(repository: Path, *more: str) -> Any:
    return run("code", str(repository), "HEAD", "--bucket", BUCKET, "--json", *more)


# -- an archive is proven by its tree


def test_an_archive_unpacks_to_the_tree_of_its_commit(repository: Path, tmp_path: Path):
    commit, tree = GitRepository(repository).commit("HEAD")
    GitRepository(repository).archive(commit, tmp_path / "code.tar.gz")

    assert tree_of(tmp_path / "code.tar.gz") == tree


def test_other_bytes_of_the_same_files_are_the_same_tree(repository: Path, tmp_path: Path):
    """As another version of git or gzip would write them."""
    commit, tree = GitRepository(repository).commit("HEAD")
    GitRepository(repository).archive(commit, tmp_path / "a.tar.gz")
    again = tmp_path / "b.tar.gz"
    again.write_bytes(gzip.compress(gzip.decompress((tmp_path / "a.tar.gz").read_bytes()), 1))

    assert again.read_bytes() != (tmp_path / "a.tar.gz").read_bytes()
    assert tree_of(again) == tree


def test_one_byte_of_a_file_is_another_tree(tmp_path: Path):
    trees = set()
    for content in (b"a", b"b"):
        with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
            info = tarfile.TarInfo("app.py")
            info.size = 1
            tar.addfile(info, io.BytesIO(content))
        trees.add(tree_of(tmp_path / "x.tar.gz"))

    assert len(trees) == 2


def test_an_archive_cut_short_is_refused(repository: Path, tmp_path: Path):
    whole = tmp_path / "code.tar.gz"
    GitRepository(repository).archive("HEAD", whole)
    whole.write_bytes(whole.read_bytes()[:-20])

    with pytest.raises(RefusedError, match="cannot be unpacked"):
        tree_of(whole)


def test_what_is_no_revision_is_named(repository: Path):
    with pytest.raises(BadInputError, match="REV: must name a commit"):
        GitRepository(repository).commit("no-such-branch")
    with pytest.raises(BadInputError):
        GitRepository(repository).commit("--help")


# -- selfright backup code


def test_code_is_put_and_proven_and_can_be_proven_again(repository: Path, aws: Aws):
    put = json.loads(code(repository).stdout)
    proven = json.loads(code(repository, "--verify").stdout)

    assert put == proven
    assert put["key"] == f"code/shop/{put['commit']}.tar.gz"
    listed = aws.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(listed) == 2  # proving wrote nothing


def test_code_that_was_never_put_is_not_proven(repository: Path, aws: Aws):
    ended = code(repository, "--verify")

    assert ended.exit_code == 1
    assert "proven" not in ended.stdout


def test_an_archive_that_was_replaced_is_not_proven(repository: Path, aws: Aws):
    key = json.loads(code(repository).stdout)["key"]
    label_key = key.replace(".tar.gz", ".json")
    s3 = aws.client("s3")
    label = json.loads(s3.get_object(Bucket=BUCKET, Key=label_key)["Body"].read())
    with io.BytesIO() as content:
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            tar.addfile(tarfile.TarInfo("other"))
        other = s3.put_object(Bucket=BUCKET, Key=key, Body=content.getvalue())["VersionId"]
    label["place"]["version"] = other
    s3.put_object(Bucket=BUCKET, Key=label_key, Body=json.dumps(label).encode())

    ended = code(repository, "--verify")

    assert ended.exit_code == 1
    assert "unpacks to tree" in str(ended.exception)


def test_code_that_an_archive_leaves_out_is_refused_before_anything_is_written(repository: Path, aws: Aws):
    (repository / ".gitattributes").write_text("kept.log export-ignore\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "leaves one out")

    ended = code(repository)

    assert ended.exit_code == 1
    assert "export-ignore" in str(ended.exception)
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=BUCKET)


# -- selfright backup list


@pytest.fixture
def shop(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shape = resources("AWS::DynamoDB::Table")["Ledger"]
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    aws.client("dynamodb").create_table(TableName="backups-ledger", **{key: shape[key] for key in kept})
    monkeypatch.setattr(backup_list, "stack_outputs", lambda *_: ["backups-ledger"])
    folder = tmp_path / "workloads" / "shop"
    folder.mkdir(parents=True)
    (folder / "base.yaml").write_text(json.dumps(SHOP))
    (folder / "production.yaml").write_text("{}\n")
    return folder.parent


def listed(manifests: Path, *more: str) -> Any:
    where = ("--workload", "shop", "--environment", "production", "--manifests", str(manifests))
    return run("list", *where, *more)


def catalogue(aws: Aws, age: timedelta) -> None:
    at = datetime.now(UTC) - age
    for item in wanted(load(SHOP, {}, "production")):
        DynamoDBRecoveryPoints(aws, "backups-ledger").record(
            RecoveryPoint(
                workload="shop",
                environment="production",
                run="bk-1",
                run_began_at=at,
                kind=item.kind,
                source=item.source,
                taken_at=at,
                place=Place(bucket=BUCKET, key="k"),
            )
        )


def test_what_nothing_is_known_of_is_told_as_not_met(aws: Aws, shop: Path):
    ended = listed(shop, "--json")

    assert ended.exit_code == 1
    items = json.loads(ended.stdout)["items"]
    assert len(items) == 8
    assert {(one["met"], one["age_seconds"]) for one in items} == {(False, None)}


def test_what_is_recent_enough_is_told_and_ends_well(aws: Aws, shop: Path):
    catalogue(aws, timedelta(minutes=5))

    assert listed(shop).exit_code == 0
    assert listed(shop).stdout.count("not met") == 0


def test_what_is_too_old_is_named(aws: Aws, shop: Path):
    catalogue(aws, timedelta(hours=2))

    ended = listed(shop, "--json")

    assert ended.exit_code == 1
    late = [one["kind"] for one in json.loads(ended.stdout)["items"] if not one["met"]]
    assert late == ["table-pitr"]
