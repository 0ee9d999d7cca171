"""What an export says of itself: manifest-summary.json and manifest-files.json, against what is there.

Source: "DynamoDB table export output format" of the DynamoDB developer guide. It calls the checksum files
`*.checksum`; real exports have `*.md5`, in base64.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfright.domain.digest.sums import Fault, PartDigest, Problem

DATA_FILE = re.compile(r"(?:.*/)?data/([^/\\]+\.json\.gz)")
FROZEN = ConfigDict(defer_build=True, frozen=True, strict=True)


class Summary(BaseModel):
    """manifest-summary.json, as far as we need it. Times are left to whoever compares them."""

    model_config = FROZEN
    items: int = Field(alias="itemCount", ge=0)
    output_format: str = Field(alias="outputFormat")
    export_type: str = Field(alias="exportType", default="FULL_EXPORT")  # older exports do not say


class Part(BaseModel):
    """One line of manifest-files.json."""

    model_config = FROZEN
    items: int = Field(alias="itemCount", ge=0)
    md5: str = Field(alias="md5Checksum")
    key: str = Field(alias="dataFileS3Key", pattern=f"^{DATA_FILE.pattern}$")

    @property
    def name(self) -> str:
        """The file's name in the folder data/."""
        found = DATA_FILE.fullmatch(self.key)
        return found[1] if found else self.key


@dataclass(frozen=True)
class Manifest:
    """The parts that an export must have, and what is wrong with its manifests already."""

    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]


def read_manifest(files: dict[str, bytes]) -> Manifest:
    """Read the manifests of an export from the files beside data/, by name. What is wrong becomes a problem."""
    problems = list(_missing_or_altered(files))
    summary = None
    if (content := files.get("manifest-summary.json")) is not None:
        try:
            summary = Summary.model_validate_json(content)
        except ValidationError as error:
            problems.append(_malformed("manifest-summary.json", error))
    parts = []
    for number, line in enumerate(files.get("manifest-files.json", b"").splitlines(), start=1):
        try:
            parts.append(Part.model_validate_json(line))
        except ValidationError as error:
            problems.append(_malformed(f"manifest-files.json line {number}", error))
    names = {part.name for part in parts}
    if len(names) < len(parts):
        problems.append(Problem(Fault.MANIFEST_MALFORMED, "manifest-files.json", "names a file twice"))
    if summary:
        problems.extend(_contradictions(summary, parts))
    return Manifest(tuple(parts), tuple(problems))


def reconcile(manifest: Manifest, present: Collection[str], digests: Iterable[PartDigest]) -> list[Problem]:
    """What is wrong with an export whose files `present` gave these digests. None means it is whole."""
    problems = list(manifest.problems)
    listed = {part.name for part in manifest.parts}
    if Fault.MANIFEST_MISSING not in {problem.kind for problem in problems}:
        problems += [
            Problem(Fault.UNLISTED_PART, name, "is not in the manifest")
            for name in sorted({*present} - listed)
        ]
    known = {digest.part: digest for digest in digests}
    for part in manifest.parts:
        digest = known.get(part.name)
        if digest is None:
            problems.append(Problem(Fault.MISSING_PART, part.name, "is not there"))
            continue
        problems.extend(digest.problems)
        if digest.md5 != part.md5:
            problems.append(
                Problem(Fault.BAD_MD5, part.name, f"has MD5 {digest.md5}, the manifest says {part.md5}")
            )
        if not digest.problems and digest.items != part.items:
            said = f"has {digest.items} items, the manifest says {part.items}"
            problems.append(Problem(Fault.COUNT_MISMATCH, part.name, said))
    return problems


def _missing_or_altered(files: dict[str, bytes]) -> Iterator[Problem]:
    for stem in ("manifest-summary", "manifest-files"):
        content = files.get(f"{stem}.json")
        if content is None:
            yield Problem(
                Fault.MANIFEST_MISSING, f"{stem}.json", "is not there: an export writes it when it is done"
            )
            continue
        checksum = files.get(f"{stem}.md5", files.get(f"{stem}.checksum"))
        found = b64encode(hashlib.md5(content, usedforsecurity=False).digest())
        if checksum is not None and checksum.strip() != found:
            yield Problem(
                Fault.BAD_MD5, f"{stem}.json", f"has MD5 {found.decode()}, its checksum file says otherwise"
            )


def _contradictions(summary: Summary, parts: Collection[Part]) -> Iterator[Problem]:
    where = "manifest-summary.json"
    if summary.output_format != "DYNAMODB_JSON" or summary.export_type != "FULL_EXPORT":
        told = f"is a {summary.export_type} in {summary.output_format}"
        yield Problem(Fault.UNSUPPORTED_FORMAT, where, told)
    listed = sum(part.items for part in parts)
    if listed != summary.items:
        told = f"counts {summary.items} items, the files listed have {listed}"
        yield Problem(Fault.EXPORT_CUT_SHORT, where, told)


def _malformed(where: str, error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    return Problem(Fault.MANIFEST_MALFORMED, where, f"{field}: {first['msg']}" if field else first["msg"])
