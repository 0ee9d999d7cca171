"""Reading a workload's folder: YAML to plain data, and errors that point at a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfright.adapters.manifest_files import load_workload, load_workloads
from selfright.domain.errors import BadInputError, ManifestError, NotFoundError

BASE = """\
workload: shop
description: Sells things.
owner: shop-team
resources:
  orders:
    type: dynamodb-table
    name: "{workload}-{environment}-orders"
alarms:
  throttled:
    name: "{workload}-{environment}-throttled"
    resource: orders
    symptom: throttling
    severity: critical
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", BASE, "limits:\n  attempts: 2\n")


def write(folder: Path, base: str, staging: str) -> Path:
    folder.mkdir()
    (folder / "base.yaml").write_text(base, "utf-8")
    (folder / "staging.yaml").write_text(staging, "utf-8")
    return folder


def error_of(folder: Path) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load_workload(folder, "staging")
    return caught.value


def test_base_and_overlay_become_a_workload(shop: Path):
    workload = load_workload(shop, "staging")

    assert workload.workload == "shop"
    assert workload.limits.attempts == 2
    assert workload.resource("orders").name == "shop-staging-orders"


def test_an_empty_overlay_leaves_the_base(shop: Path):
    (shop / "staging.yaml").write_text("# nothing differs\n", "utf-8")

    assert load_workload(shop, "staging").limits.attempts == 3


@pytest.mark.parametrize(
    ("overlay", "line", "field", "rule"),
    [
        ("limits:\n  attempts: 0\n", 2, "limits.attempts", "must be at least 1 (is 0)"),
        (
            "limits:\n\n  # none\n  atempts: 2\n",
            4,
            "limits.atempts",
            "is not a known field; did you mean attempts?",
        ),
        ("limits:\n  attempts: 1\n  attempts: 2\n", 3, "limits.attempts", "must not appear twice"),
        (
            "\nalarms:\n  new:\n    name: x\n    resource: orders\n    symptom: cost\n",
            3,
            "alarms.new.severity",
            "is required",
        ),
        ("guards:\n- throttled\n- errors\n", 3, "guards.1", "must name one of alarms; known are throttled"),
        ("guards: &x [*x]\n", 1, "guards.0", "must not contain itself"),
        ("limits: {? [a] : 1}\n", 1, "limits", "must have text as its keys"),
        ("flags:\n  a: off\n", 2, "flags.a", "must be true or false (is 'off')"),
        ("flags:\n  a: !!bool maybe\n", 2, "flags.a", "must be plain text, a number, true, false or null"),
        (
            "owner: !!python/name:os.system x\n",
            1,
            "owner",
            "must be plain text, a number, true, false or null",
        ),
        ("- a\n", None, "(whole file)", "must be a mapping of sections to their content"),
        ("a: [1\n", 2, "(whole file)", "must be YAML: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", 2, "(whole file)", "must be YAML: but found another document"),
        ("a: \x00\n", None, "(whole file)", "must be YAML without control characters"),
        ("workload: other\n", 1, "workload", "must be the name of its folder, shop"),
        (f"account: {'9' * 5000}\n", 1, "account", "must be the 12 digits of an AWS account, in quotes"),
    ],
)
def test_a_bad_overlay_is_pointed_at(shop: Path, overlay: str, line: int | None, field: str, rule: str):
    (shop / "staging.yaml").write_text(overlay, "utf-8")

    error = error_of(shop)

    assert error.file == f"{shop / 'staging.yaml'}" + (f":{line}" if line else "")
    assert error.field == field
    assert error.rule.startswith(rule)


def test_an_error_in_the_base_points_at_the_base(shop: Path):
    (shop / "base.yaml").write_text(BASE.replace("critical", "urgent"), "utf-8")

    assert str(error_of(shop)) == (
        f"{shop / 'base.yaml'}:13: alarms.throttled.severity: must be low, medium, high or critical (is 'urgent')"
    )


def test_times_and_dates_need_no_quotes(shop: Path):
    (shop / "staging.yaml").write_text(
        "windows:\n"
        "  maintenance:\n"
        "  - {name: release, days: [monday], from: 22:00, to: 23:30}\n"
        "  freezes:\n"
        "  - {name: year end, from: 2026-12-20T00:00:00Z, to: 2027-01-02T00:00:00Z}\n",
        "utf-8",
    )

    windows = load_workload(shop, "staging").windows

    assert (windows.maintenance[0].from_, windows.maintenance[0].to) == ("22:00", "23:30")
    assert windows.freezes[0].to.isoformat() == "2027-01-02T00:00:00+00:00"


def test_the_windows_in_the_documentation_load(shop: Path, workloads: Path):
    page = (workloads.parent / "docs" / "manifest.md").read_text("utf-8")
    (shop / "staging.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")

    windows = load_workload(shop, "staging").windows

    assert [window.name for window in windows.maintenance] == ["release", "audit"]
    assert [freeze.name for freeze in windows.freezes] == ["year end"]


def test_numbers_are_read_as_json_reads_them(shop: Path):
    (shop / "staging.yaml").write_text(
        "limits:\n  attempts: +2\n  unhealthy_share: .5\n  max_increase_factor: 2.5e0\n", "utf-8"
    )

    limits = load_workload(shop, "staging").limits

    assert (limits.attempts, limits.unhealthy_share, limits.max_increase_factor) == (2, 0.5, 2.5)


def test_a_missing_overlay_is_named(shop: Path):
    (shop / "staging.yaml").unlink()

    assert str(error_of(shop)) == f"{shop / 'staging.yaml'}: (whole file): is missing"


def test_a_file_that_is_no_text_is_named(shop: Path):
    (shop / "base.yaml").write_bytes(b"owner: \xff\xfe\n")

    assert str(error_of(shop)) == f"{shop / 'base.yaml'}: (whole file): must be UTF-8 text"


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(NotFoundError, match="there is no workload folder"):
        load_workload(tmp_path / "nowhere", "staging")
    with pytest.raises(NotFoundError, match="there is no folder"):
        load_workloads(tmp_path / "nowhere", "staging")


def test_an_environment_that_does_not_exist_reads_no_file(shop: Path):
    with pytest.raises(BadInputError, match="environment: must be one of development, staging, production"):
        load_workload(shop, "../shop/staging")


def test_workloads_come_in_the_order_of_their_names(shop: Path):
    write(shop.parent / "bakery", BASE.replace("shop", "bakery"), "")

    assert [workload.workload for workload in load_workloads(shop.parent, "staging")] == ["bakery", "shop"]


def test_a_folder_without_base_is_not_passed_over(shop: Path):
    (shop.parent / "bakery").mkdir()

    with pytest.raises(ManifestError) as caught:
        load_workloads(shop.parent, "staging")

    assert caught.value.file == str(shop.parent / "bakery" / "base.yaml")


def test_an_alarm_belongs_to_one_workload(shop: Path):
    same_alarm = BASE.replace("workload: shop", "workload: stall").replace("{workload}", "shop")
    write(shop.parent / "stall", same_alarm, "")

    with pytest.raises(ManifestError) as caught:
        load_workloads(shop.parent, "staging")

    assert caught.value.file == str(shop.parent / "stall")
    assert caught.value.field == "alarms.throttled.name"
    assert caught.value.rule == "must be unique, but shop-staging-throttled belongs to shop too"
