"""digest.*: the table digest against decompression alone, beside DuckDB, Polars and the naive way, and up to 1 TB."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.digest_run import REPEATED
from benchmarks.exports import write_export
from benchmarks.incident import PRICES
from benchmarks.rounds import BenchmarkError, Figures
from benchmarks.rows import Row, judged
from sandbox.server import ROOT

FLOOR = "igzip decompression alone"
PARTS, PART_BYTES, ITEM_BYTES = 8, 12_000_000, 1000
ROUNDS = 9
PEAK_MIB = 200
BENCH_PYTHON = ROOT / ".envs" / "bench" / "bin" / "python"
TERABYTE = 10**12
FUNCTION_GB = 1.769  # memory that has one whole vCPU, by Lambda's documentation
CHILDREN = 100  # parts worked on at once by a Distributed Map


def rows(only: str) -> Iterator[Row]:
    if not ("digest".startswith(only) or only.startswith("digest")):
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "1k"
        size = write_export(folder, PARTS, PART_BYTES, ITEM_BYTES)
        figures = _measured(folder)
        yield from _ways(figures, size)
        for item_bytes in (300, 4000):
            other = Path(place) / str(item_bytes)
            write_export(other, 2, PART_BYTES, item_bytes)
            yield from _size(_measured(other), item_bytes)
        yield from _peers(folder, figures, size)
        yield _memory(Path(place))
        yield _scaling(folder, size)
        yield from _terabyte(figures.median("bucketed") / size)


def _measured(folder: Path) -> Figures:
    return Figures(json.loads(_child("benchmarks.digest_run", folder, ROUNDS)))


def _child(module: str, *arguments: object) -> str:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.check_output(command, text=True, cwd=ROOT)  # noqa: S603


def _ways(figures: Figures, size: int) -> Iterator[Row]:
    about = {
        "tier1": (2.0, "raw lines, XXH3-128, and the MD5 of the file; one sum"),
        "bucketed": (2.5, "the same in 4,096 buckets, for a table with a partition key"),
        "composite": (2.5, "the same, for a table with partition and sort key"),
        "canonical": (None, "every item parsed and spelled canonically: tier 2, were all buckets to differ"),
    }
    for way, (budget, note) in about.items():
        seconds = figures.median(way)
        told = f"±{figures.spread(way, 'floor'):.2f}; {size / seconds / 1e6:.0f} MB/s; 1 KB items; {note}"
        yield judged(f"digest.{way}", seconds, "CPU s", FLOOR, figures.ratio(way, "floor"), budget, told)


def _size(figures: Figures, item_bytes: int) -> Iterator[Row]:
    for way in ("tier1", "bucketed"):
        name, note = (
            f"digest.{way}.{item_bytes}B",
            f"±{figures.spread(way, 'floor'):.2f}; {item_bytes} B items",
        )
        yield judged(name, figures.median(way), "CPU s", FLOOR, figures.ratio(way, "floor"), None, note)


def _peers(folder: Path, figures: Figures, size: int) -> Iterator[Row]:
    if not BENCH_PYTHON.exists():
        raise BenchmarkError("DuckDB and Polars are not installed; run `make bench`")
    program = ROOT / "benchmarks" / "digest_peers.py"
    command = [str(BENCH_PYTHON), str(program), str(folder), "5"]
    found = json.loads(subprocess.check_output(command, text=True))  # noqa: S603
    seconds = {name: median(figure["seconds"]) for name, figure in found.items()}
    seconds["naive"] = figures.median("naive")
    about = {
        "duckdb": "64-bit hash of each line, one sum, no MD5",
        "polars": "64-bit hash of each line, one sum, no MD5; a whole file in memory",
        "naive": "json.loads, sorted json.dumps, SHA-256, one sum; taken from one part",
    }
    ours = figures.median("bucketed")
    for name, note in about.items():
        told = f"{size / seconds[name] / 1e6:.0f} MB/s; {note}"
        yield judged(f"digest.vs_{name}", ours, "CPU s", name, ours / seconds[name], None, told)


def _memory(place: Path) -> Row:
    """Peak memory of a whole comparison, all buckets and keys different, for a table and for one ten times as large."""
    peaks = []
    for times in (1, 10):
        both = place / f"both{times}"
        for seed in (1, 2):
            write_export(both / str(seed), 1, times * PART_BYTES, ITEM_BYTES, seed)
        peaks.append(float(_child("benchmarks.digest_run", both, "peak")))
    small, peak = peaks
    note = f"two exports of {10 * PART_BYTES / 1e6:.0f} MB that share no item; {small:.0f} MiB for a tenth"
    ratio = round(peak / PEAK_MIB, 3)
    return Row("digest.peak", round(peak, 1), "MiB", f"{PEAK_MIB} MiB", ratio, 1, peak <= PEAK_MIB, note)


def _scaling(folder: Path, size: int) -> Row:
    """The best of several walls: other work on the machine only ever adds to one."""
    one, two = (min(_walls(folder, processes)) for processes in (1, 2))
    rate = REPEATED * size / 1e6
    note = f"best of 5; {rate / one:.0f} MB/s with one process, {rate / two:.0f} with two; {PARTS} parts on 2 cores"
    return judged("digest.scaling", two, "wall s", "one process", two / one, None, note)


def _walls(folder: Path, processes: int) -> list[float]:
    return [float(_child("benchmarks.digest_run", folder, processes, "processes")) for _ in range(5)]


def _terabyte(seconds_per_byte: float) -> Iterator[Row]:
    """A model, not a measurement: source and copy of 1 TB (before gzip), digested once, byte for byte equal."""
    price = {name: entry["usd"] for name, entry in json.loads(PRICES.read_text("utf-8"))["prices"].items()}
    cpu = 2 * TERABYTE * seconds_per_byte
    digest = cpu * FUNCTION_GB * price["lambda_arm64_gb_second"]
    exports = 2 * TERABYTE / 10**9 * price["dynamodb_export_gb"]
    restore = TERABYTE / 10**9 * price["dynamodb_restore_gb"]
    note = (
        f"modelled: two exports ${exports:.0f} and a restore ${restore:.0f} are the rest; us-east-1 2026-11"
    )
    total = digest + exports + restore
    yield judged("digest.terabyte.cost", digest, "USD", "the whole verification", digest / total, None, note)
    note = f"modelled: {cpu / 3600:.1f} CPU hours over {CHILDREN} functions of {FUNCTION_GB} GB at this machine's speed"
    yield judged("digest.terabyte.time", cpu / CHILDREN, "wall s", "one function", 1 / CHILDREN, None, note)
