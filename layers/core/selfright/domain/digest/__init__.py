"""Prove that two exports of a DynamoDB table hold the same items, or name the items that differ.

Pure: bytes in, verdicts out. Only rooms that digest import it: isal, xxhash and orjson are loaded with it.
docs/digest.md says what is proven and what is not.
"""

from selfright.domain.digest.canonical import MalformedLineError
from selfright.domain.digest.changes import changed_around
from selfright.domain.digest.comparison import Export, compare
from selfright.domain.digest.digesting import digest_canonical, digest_raw
from selfright.domain.digest.keys import BUCKETS, KeyReader
from selfright.domain.digest.manifest import Manifest, Part, read_manifest, reconcile
from selfright.domain.digest.outcome import Comparison, Difference, Kind, Verdict
from selfright.domain.digest.parts import DamagedPartError
from selfright.domain.digest.progress import Effort, Progress, advance, parts_of
from selfright.domain.digest.readings import PartResult, Reading, Tier, read_part, result_of
from selfright.domain.digest.sums import XXH3, Fault, Hashing, PartDigest, Problem, TableDigest, keyed, merged

__all__ = [
    "BUCKETS",
    "XXH3",
    "Comparison",
    "DamagedPartError",
    "Difference",
    "Effort",
    "Export",
    "Fault",
    "Hashing",
    "KeyReader",
    "Kind",
    "MalformedLineError",
    "Manifest",
    "Part",
    "PartDigest",
    "PartResult",
    "Problem",
    "Progress",
    "Reading",
    "TableDigest",
    "Tier",
    "Verdict",
    "advance",
    "changed_around",
    "compare",
    "digest_canonical",
    "digest_raw",
    "keyed",
    "merged",
    "parts_of",
    "read_manifest",
    "read_part",
    "reconcile",
    "result_of",
]
