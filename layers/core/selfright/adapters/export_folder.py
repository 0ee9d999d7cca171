"""A DynamoDB full export that lies in a local folder, in the layout in which AWS writes it to S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from selfright.domain.digest import Manifest, read_manifest
from selfright.domain.errors import BadInputError

CHUNK = 256 * 1024  # bytes read at once
BESIDE = ("manifest-summary", "manifest-files")
ENDINGS = (".json", ".md5", ".checksum")


class ExportFolder:
    """Fills domain/digest's Export. `read_bytes` is told how many bytes were read, as they are."""

    def __init__(self, folder: Path, read_bytes: Callable[[int], None] = lambda _: None) -> None:
        """`folder`: AWSDynamoDB/<id>, or a folder above it that holds this one export. Raises BadInputError."""
        self.folder = find_export(folder)
        self._read_bytes = read_bytes
        names = [stem + ending for stem in BESIDE for ending in ENDINGS]
        beside = {name: self.folder / name for name in names}
        self.manifest: Manifest = read_manifest(
            {name: file.read_bytes() for name, file in beside.items() if file.is_file()}
        )
        self.present = frozenset(file.name for file in self.folder.glob("data/*.json.gz") if file.is_file())

    @property
    def size(self) -> int:
        """Bytes of all parts that the manifest names and that are there, as they lie (compressed)."""
        listed = {part.name for part in self.manifest.parts} & self.present
        return sum((self.folder / "data" / name).stat().st_size for name in listed)

    def read(self, part: str) -> Iterator[bytes]:
        """The gzip bytes of a part, in chunks."""
        with (self.folder / "data" / part).open("rb") as file:
            while chunk := file.read(CHUNK):
                self._read_bytes(len(chunk))
                yield chunk


def find_export(folder: Path) -> Path:
    """The one AWSDynamoDB/<id> at, in or under `folder`. Raises BadInputError where there is none, or more."""
    if not folder.is_dir():
        raise BadInputError(str(folder), "must be a folder that holds a DynamoDB full export")
    if any((folder / name).exists() for name in ("data", "manifest-summary.json", "manifest-files.json")):
        return folder
    found = sorted(path for path in folder.glob("**/AWSDynamoDB/*") if path.is_dir())
    if folder.name == "AWSDynamoDB":
        found = sorted(path for path in folder.iterdir() if path.is_dir())
    if len(found) != 1:
        ids = ", ".join(path.name for path in found)
        rule = f"holds the exports {ids}; name one of them" if found else "holds no AWSDynamoDB/<export id>"
        raise BadInputError(str(folder), rule)
    return found[0]
