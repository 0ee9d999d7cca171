"""The measured peers of digest.*: the same files through DuckDB and Polars. Each hashes whole lines to 64 bits
and adds them up: less than our tier 1, which has 128 bits and checks the MD5 as well.

digest_peers.py FOLDER ROUNDS       prints JSON: {peer: CPU seconds of each round, and its lines}
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb  # type: ignore[import-not-found,unused-ignore]
import polars as pl  # type: ignore[import-not-found,unused-ignore]

NOWHERE = "\x01"  # a separator that no line has: a line is one column


def by_duckdb(files: list[str]) -> int:
    query = """
        SELECT count(*), sum(hash(line)::HUGEINT) FROM read_csv(
            $files, columns = {'line': 'VARCHAR'}, delim = $nowhere, header = false, quote = '', escape = '',
            auto_detect = false, compression = 'gzip', max_line_size = 16000000)
    """
    return int(duckdb.execute(query, {"files": files, "nowhere": NOWHERE}).fetchone()[0])


def by_polars(files: list[str]) -> int:
    lines = 0
    for file in files:
        frame = pl.read_csv(file, has_header=False, separator=NOWHERE, quote_char=None, new_columns=["line"])
        frame.select(pl.col("line").hash().cast(pl.Int128).sum()).item()
        lines += frame.height
    return lines


def main(folder: Path, rounds: int) -> None:
    files = sorted(str(file) for file in folder.glob("**/*.json.gz"))
    figures = {}
    for name, peer in (("duckdb", by_duckdb), ("polars", by_polars)):
        seconds, lines = [], 0
        for _ in range(rounds + 1):
            began = time.process_time()
            lines = peer(files)
            seconds.append(time.process_time() - began)
        figures[name] = {"seconds": seconds[1:], "lines": lines}
    print(json.dumps(figures))


main(Path(sys.argv[1]), int(sys.argv[2]))
