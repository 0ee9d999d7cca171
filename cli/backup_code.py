"""`selfright backup code`: a git revision in the backup bucket, proven by its commit and its tree."""

from __future__ import annotations

import json
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.place import AsJson, InSandbox, stack_outputs, use_sandbox
from selfright.adapters.aws import Aws
from selfright.adapters.backup_bucket import S3BackupBucket
from selfright.adapters.clock import SystemClock
from selfright.adapters.code_archive import GitRepository, tree_of
from selfright.domain.backup.catalogue import Place, PointKind, RecoveryPoint, Tier
from selfright.domain.errors import RefusedError
from selfright.recovery_ports import Stored

out = Console(soft_wrap=True, highlight=False)
FORMAT = "selfright-code-archive/1"


def code(
    repository: Annotated[Path, typer.Argument(help="A git repository.")],
    revision: Annotated[str, typer.Argument(metavar="REV", help="A commit, tag or branch.")],
    bucket: Annotated[str, typer.Option(help="The backup bucket (output BackupsBucket).")],
    name: Annotated[str | None, typer.Option(help="What the code is called; the folder's name.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Write nothing; prove what lies there.")] = False,
    workload: Annotated[str | None, typer.Option(help="Catalogue it for this workload of --stack.")] = None,
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "development",
    in_sandbox: InSandbox = False,
    stack: Annotated[str, typer.Option(help="CloudFormation stack of Selfright.")] = "selfright",
    as_json: AsJson = False,
) -> None:
    """Archive a revision, and prove that what lies in the bucket unpacks to its tree: exit 1 where it does not."""
    if in_sandbox:
        use_sandbox()
    commit, tree = GitRepository(repository).commit(revision)
    aws = Aws()
    key = f"code/{name or repository.resolve().name}/{commit}"
    shelf = S3BackupBucket(aws, bucket)
    if not verify:
        with tempfile.TemporaryDirectory(prefix="selfright-code-") as folder:
            _put(GitRepository(repository), shelf, key, commit, tree, Path(folder))
    stored = _proven(shelf, key, bucket, commit, tree)
    if workload and not verify:
        _catalogue(aws, stack, _point(workload, environment, commit, tree, stored))
    told = {"commit": commit, "tree": tree, "key": stored.place.key, "version": stored.place.version}
    if as_json:
        out.print_json(data={**told, "sha256": stored.sha256, "size": stored.size, "verified": True})
    else:
        out.print(f"[green]proven[/]  s3://{bucket}/{key}.tar.gz unpacks to tree {tree} of commit {commit}")


def _put(
    repository: GitRepository, shelf: S3BackupBucket, key: str, commit: str, tree: str, folder: Path
) -> None:
    """Nothing is written that would not unpack to the tree, as where .gitattributes leaves files out."""
    archive = folder / "code.tar.gz"
    repository.archive(commit, archive)
    found = tree_of(archive)
    if found != tree:
        raise RefusedError(
            f"the archive of {commit} unpacks to tree {found}, not {tree}: does .gitattributes say export-ignore?"
        )
    with archive.open("rb") as content:
        stored = shelf.put(f"{key}.tar.gz", content, "application/gzip", Tier.WARM)
    label = {
        "format": FORMAT,
        "commit": commit,
        "tree": tree,
        "place": stored.place.model_dump(mode="json"),
        "sha256": stored.sha256,
        "size": stored.size,
    }
    shelf.put(f"{key}.json", BytesIO(json.dumps(label, indent=1).encode()), "application/json", Tier.WARM)


def _proven(shelf: S3BackupBucket, key: str, bucket: str, commit: str, tree: str) -> Stored:
    """The archive as it lies there, once it is read and unpacked. Raises NotFoundError, RefusedError."""
    label: dict[str, Any] = json.loads(shelf.read(Place(bucket=bucket, key=f"{key}.json")))
    if (label["commit"], label["tree"]) != (commit, tree):
        raise RefusedError(f"{key}.json is about commit {label['commit']} with tree {label['tree']}")
    place = Place.model_validate(label["place"])
    stored = shelf.look(str(place.key), place.version)
    with tempfile.NamedTemporaryFile(prefix="selfright-code-", suffix=".tar.gz") as archive:
        archive.write(shelf.read(place))
        archive.flush()
        found = tree_of(Path(archive.name))
    if found != tree:
        raise RefusedError(f"{place.key} unpacks to tree {found}, not {tree}")
    if (stored.sha256, stored.size) != (label["sha256"], label["size"]):
        raise RefusedError(f"{place.key} is not the object that was written")
    return stored


def _point(workload: str, environment: str, commit: str, tree: str, stored: Stored) -> RecoveryPoint:
    now = SystemClock().now()
    return RecoveryPoint(
        workload=workload,
        environment=environment,
        run=commit,
        run_began_at=now,
        kind=PointKind.CODE_ARCHIVE,
        source=workload,
        taken_at=now,
        place=stored.place,
        sha256=stored.sha256,
        size=stored.size,
        details={"commit": commit, "tree": tree},
    )


def _catalogue(aws: Aws, stack: str, point: RecoveryPoint) -> None:
    from selfright.adapters.recovery_points import DynamoDBRecoveryPoints

    (table,) = stack_outputs(aws, stack, "LedgerTable")
    DynamoDBRecoveryPoints(aws, table).record(point)
