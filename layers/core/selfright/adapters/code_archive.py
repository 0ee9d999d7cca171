"""A git revision as an archive, and whether an archive still holds that revision.

`git archive` promises no stable bytes (its compression changed between versions), so an archive is proven by
what it holds: unpacked and added to an empty index, its files make the tree that the commit names.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # git's own command line is its interface
import tarfile
import tempfile
from pathlib import Path

from selfright.domain.errors import BadInputError, RefusedError


class GitRepository:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def commit(self, revision: str) -> tuple[str, str]:
        """Hashes of the commit that `revision` names, and of its tree. Raises BadInputError."""
        try:
            found = [
                _git(self._folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{{kind}}}")
                for kind in ("commit", "tree")
            ]
        except RefusedError as error:
            raise BadInputError("REV", f"must name a commit of {self._folder} ({error})") from error
        return found[0], found[1]

    def archive(self, commit: str, target: Path) -> None:
        """Write the commit's files as a gzipped tar. Raises RefusedError."""
        _git(self._folder, "archive", "--format=tar.gz", f"--output={target}", commit)


def tree_of(archive: Path) -> str:
    """The hash of the tree that an archive's files make. Raises RefusedError where it cannot be unpacked."""
    with tempfile.TemporaryDirectory(prefix="selfright-code-") as home:
        folder, store = Path(home) / "files", Path(home) / "git"
        folder.mkdir()
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise RefusedError(f"the archive cannot be unpacked: {error}") from error
        _git(folder, "init", "--quiet", "--bare", str(store))
        bare = {"GIT_DIR": str(store), "GIT_WORK_TREE": str(folder)}
        # No filter of this machine may touch the bytes: not core.autocrlf, no ignored files, no attributes.
        quiet = (
            "-c",
            "core.autocrlf=false",
            "-c",
            "core.safecrlf=false",
            "-c",
            "core.attributesFile=/dev/null",
        )
        _git(folder, *quiet, "add", "--all", "--force", ".", **bare)
        return _git(folder, "write-tree", **bare)


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise RefusedError("git is not installed")
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ran = subprocess.run(  # noqa: S603 - no shell; revisions come after --end-of-options
        [program, "-C", str(folder), *arguments],
        env={**own, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RefusedError(ran.stderr.strip() or f"git {arguments[0]} ended with {ran.returncode}")
    return ran.stdout.strip()
