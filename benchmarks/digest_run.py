"""The measured child of digest.*: digests the parts of one export in several ways, in interleaved rounds.

digest_run.py FOLDER ROUNDS       prints JSON: {way: CPU seconds of each round}; fails where two ways disagree
digest_run.py FOLDER peak         compares the two exports in it, which share no item; prints peak memory in MiB
digest_run.py FOLDER PROCESSES processes      prints the wall seconds of digesting all parts three times
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from isal import igzip
from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor

from benchmarks.rounds import BenchmarkError, interleaved
from selfright.adapters.export_folder import CHUNK, ExportFolder
from selfright.domain.digest import BUCKETS, KeyReader, Verdict, compare, digest_canonical, digest_raw

PARTITION, SORT = "analysisId", "createdAt"
REPEATED = 3  # times that all parts are digested when processes share them: a second or two of work
NAIVE_PARTS = 1  # of the parts, since it is slow; its seconds are scaled up


def chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def floor(file: Path) -> int:
    """Decompress and forget."""
    decompressor = IgzipDecompressor(flag=DECOMP_GZIP)
    return sum(len(decompressor.decompress(chunk)) for chunk in chunks(file))


def tier1(file: Path) -> int:
    return digest_raw(file.name, chunks(file)).items


def bucketed(file: Path) -> int:
    return digest_raw(file.name, chunks(file), KeyReader([PARTITION])).items


def composite(file: Path) -> int:
    return digest_raw(file.name, chunks(file), KeyReader([PARTITION, SORT])).items


def canonical(file: Path) -> int:
    return digest_canonical(file.name, chunks(file), KeyReader([PARTITION]), range(BUCKETS)).items


def naive(file: Path) -> int:
    """What one would write first: parse, dump sorted, SHA-256, add up."""
    total = lines = 0
    with igzip.open(file, "rb") as opened:  # type: ignore[no-untyped-call]
        for line in opened:
            item = json.dumps(json.loads(line), sort_keys=True).encode()
            total += int.from_bytes(hashlib.sha256(item).digest()[:16], "little")
            lines += 1
    return lines


WAYS = (floor, tier1, bucketed, composite, canonical, naive)


def measured(way: Callable[[Path], int], files: list[Path], found: dict[str, int]) -> Callable[[], float]:
    some = files[:NAIVE_PARTS] if way in {canonical, naive} else files

    def run() -> float:
        began = time.process_time()
        found[way.__name__] = sum(way(file) for file in some)
        return (time.process_time() - began) * len(files) / len(some)

    return run


def main(folder: Path, rounds: int) -> None:
    files, found = sorted(folder.glob("**/*.json.gz")), dict[str, int]()
    figures = interleaved({way.__name__: measured(way, files, found) for way in WAYS}, rounds)
    if len({found[way.__name__] for way in (tier1, bucketed, composite)}) != 1:
        raise BenchmarkError(f"the ways count differently: {found}")
    print(json.dumps(figures.rounds))


def peak(folder: Path) -> None:
    """All three passes, over two exports in `folder` that have no item in common."""
    source, copy = (ExportFolder(side) for side in sorted(folder.iterdir()))
    found = compare(source, copy, [PARTITION])
    if found.verdict is not Verdict.DIFFERENT or found.all_located:
        raise BenchmarkError(f"{found.verdict}, and every difference located")
    status = Path("/proc/self/status").read_text("ascii")  # ru_maxrss counts the parent before exec as well
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def shared(folder: Path, processes: int) -> None:
    files = sorted(folder.glob("**/*.json.gz"))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(floor, files, chunksize=1)  # imports done, files in the page cache
        began = time.perf_counter()
        pool.map(bucketed, files * REPEATED, chunksize=1)
        print(time.perf_counter() - began)


if __name__ == "__main__":
    if sys.argv[2] == "peak":
        peak(Path(sys.argv[1]))
    elif len(sys.argv) > 3:
        shared(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]))
