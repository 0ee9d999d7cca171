"""What is wrong with an export is told by name, one fault from the other; with a fault there is no verdict."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from selfright.domain.digest import Comparison, Verdict, compare
from tests.unit.digest.exports import Item, MemoryExport, export_of, md5

ITEMS: list[Item] = [{"pk": {"S": f"k{number}"}, "v": {"N": str(number)}} for number in range(30)]


def compared(copy: MemoryExport) -> Comparison:
    return compare(export_of(ITEMS, 2), copy, ["pk"])


def whole() -> MemoryExport:
    return export_of(ITEMS, 3)


def listed(export: MemoryExport, change: Callable[[list[Item]], object]) -> MemoryExport:
    """Rewrite manifest-files.json, with its checksum."""
    lines = [json.loads(line) for line in export.beside["manifest-files.json"].splitlines()]
    change(lines)
    export.beside["manifest-files.json"] = "".join(json.dumps(line) + "\n" for line in lines).encode()
    export.beside["manifest-files.md5"] = md5(export.beside["manifest-files.json"]).encode()
    return export


def summed_up(export: MemoryExport, **change: object) -> MemoryExport:
    summary = json.loads(export.beside["manifest-summary.json"]) | change
    export.beside["manifest-summary.json"] = json.dumps(summary).encode()
    export.beside["manifest-summary.md5"] = md5(export.beside["manifest-summary.json"]).encode()
    return export


def replace(export: MemoryExport, part: str, content: bytes) -> MemoryExport:
    """Another file, and a manifest that has its MD5."""
    export.files[part] = content
    number = list(export.files).index(part)
    return listed(export, lambda lines: lines[number].update(md5Checksum=md5(content)))


def altered(export: MemoryExport, name: str) -> MemoryExport:
    export.beside[name] += b"\n"
    return export


def without(export: MemoryExport, *names: str) -> MemoryExport:
    for name in names:
        export.beside.pop(name, None)
        export.files.pop(name, None)
    return export


def grown(export: MemoryExport) -> MemoryExport:
    export.files["stray.json.gz"] = gzip.compress(b"")
    return export


PART = "part1.json.gz"
FAULTS: dict[str, tuple[Callable[[], MemoryExport], set[tuple[str, str]]]] = {
    "another file": (
        lambda: listed(whole(), lambda lines: lines[1].update(md5Checksum=md5(b"other"))),
        {("bad_md5", PART)},
    ),
    "a file gone": (lambda: without(whole(), PART), {("missing_part", PART)}),
    "a file too many": (lambda: grown(whole()), {("unlisted_part", "stray.json.gz")}),
    "a wrong count, taken into the summary": (
        lambda: summed_up(listed(whole(), lambda lines: lines[1].update(itemCount=11)), itemCount=31),
        {("count_mismatch", PART)},
    ),
    "a file cut off": (
        lambda: replace(whole(), PART, whole().files[PART][:-9]),
        {("truncated_gzip", PART)},
    ),
    "a file cut off, its MD5 not": (
        lambda: _cut(whole()),
        {("truncated_gzip", PART), ("bad_md5", PART)},
    ),
    "a file damaged": (
        lambda: replace(whole(), PART, b"no gzip" + whole().files[PART]),
        {("corrupt_gzip", PART)},
    ),
    "a line that is no JSON": (
        lambda: replace(whole(), PART, gzip.compress(b'{"Item":{"pk":{"S":"k"\n')),
        {("malformed_line", PART)},
    ),
    "an item without its key": (
        lambda: replace(whole(), PART, gzip.compress(b'{"Item":{"v":{"S":"k"}}}\n')),
        {("malformed_line", PART)},
    ),
    "a value of no type": (
        lambda: replace(whole(), PART, gzip.compress(b'{"Item":{"pk":{"S":"k"},"v":{"Q":"1"}}}\n' * 10)),
        {("malformed_line", PART)},
    ),
    "an export that goes on": (
        lambda: without(whole(), "manifest-summary.json", "manifest-files.json"),
        {("manifest_missing", "manifest-summary.json"), ("manifest_missing", "manifest-files.json")},
    ),
    "no list of files": (
        lambda: without(whole(), "manifest-files.json"),
        {("manifest_missing", "manifest-files.json"), ("export_cut_short", "manifest-summary.json")},
    ),
    "a list that lacks a file": (
        lambda: listed(without(whole(), "part2.json.gz"), lambda lines: lines.pop()),
        {("export_cut_short", "manifest-summary.json")},
    ),
    "a list that breaks off": (
        lambda: _broken_list(whole()),
        {
            ("manifest_malformed", "manifest-files.json line 3"),
            ("export_cut_short", "manifest-summary.json"),
            ("unlisted_part", "part2.json.gz"),
        },
    ),
    "a file listed twice": (
        lambda: summed_up(listed(whole(), lambda lines: lines.append(lines[0])), itemCount=40),
        {("manifest_malformed", "manifest-files.json")},
    ),
    "an altered summary": (
        lambda: altered(whole(), "manifest-summary.json"),
        {("bad_md5", "manifest-summary.json")},
    ),
    "a summary that is no JSON": (
        lambda: _cut_summary(whole()),
        {("manifest_malformed", "manifest-summary.json")},
    ),
    "Amazon Ion": (
        lambda: summed_up(whole(), outputFormat="ION"),
        {("unsupported_format", "manifest-summary.json")},
    ),
    "an incremental export": (
        lambda: summed_up(whole(), exportType="INCREMENTAL_EXPORT"),
        {("unsupported_format", "manifest-summary.json")},
    ),
}


def _cut(export: MemoryExport) -> MemoryExport:
    export.files[PART] = export.files[PART][:-9]
    return export


def _broken_list(export: MemoryExport) -> MemoryExport:
    content = export.beside["manifest-files.json"][:-40]
    export.beside |= {"manifest-files.json": content, "manifest-files.md5": md5(content).encode()}
    return export


def _cut_summary(export: MemoryExport) -> MemoryExport:
    content = export.beside["manifest-summary.json"][:-5]
    export.beside |= {"manifest-summary.json": content, "manifest-summary.md5": md5(content).encode()}
    return export


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_from_the_others(fault: str):
    build, problems = FAULTS[fault]

    found = compared(build())

    assert {(problem.kind.value, problem.where) for _, problem in found.problems} == problems
    assert {side for side, _ in found.problems} == {"copy"}
    assert found.verdict is Verdict.UNUSABLE


def test_a_fault_of_the_source_counts_as_much():
    found = compare(without(whole(), PART), whole(), ["pk"])

    assert found.verdict is Verdict.UNUSABLE
    assert [(side, problem.kind.value) for side, problem in found.problems] == [("source", "missing_part")]


def test_the_same_fault_on_both_sides_is_no_pass():
    found = compare(without(whole(), PART), without(whole(), PART), ["pk"])

    assert found.verdict is Verdict.UNUSABLE


def test_the_line_at_fault_is_numbered():
    good = b'{"Item":{"pk":{"S":"k"},"v":{"N":"1"}}}\n'
    content = gzip.compress(good * 6 + b'{"Item":{"pk":{"S":"k"},"v":{"N":"one"}}}\n' + good * 3)

    ((_, problem),) = compared(replace(whole(), PART, content)).problems

    assert problem.what == "line 7 'one' is no number"


def test_empty_files_and_the_older_summary_are_legal():
    export = MemoryExport([[], [], []])
    copy = export_of(ITEMS, 1)
    summary = json.loads(copy.beside["manifest-summary.json"])
    del summary["exportType"]
    copy.beside["manifest-summary.json"] = json.dumps(summary).encode()
    del copy.beside["manifest-summary.md5"]

    assert compare(export, export, ["pk"]).problems == ()
    assert compared(copy).verdict is Verdict.EQUAL


def test_checksum_files_may_have_the_documented_name():
    export = whole()
    export.beside["manifest-files.checksum"] = md5(b"other").encode()
    del export.beside["manifest-files.md5"]

    assert [problem.kind.value for _, problem in compared(export).problems] == ["bad_md5"]


def test_a_key_with_a_prefix_names_the_same_file():
    export = listed(
        whole(),
        lambda lines: [line.update(dataFileS3Key="2026/nov/" + line["dataFileS3Key"]) for line in lines],
    )

    assert compared(export).verdict is Verdict.EQUAL


@pytest.mark.parametrize(
    "key", ["data/../../etc/passwd", "AWSDynamoDB/x/data/..", "AWSDynamoDB/x/other/a.json.gz"]
)
def test_a_key_that_leads_elsewhere_is_refused(key: str):
    export = listed(whole(), lambda lines: lines[0].update(dataFileS3Key=key))

    assert "manifest_malformed" in {problem.kind.value for _, problem in compared(export).problems}
