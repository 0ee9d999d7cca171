"""The eight checks: what each says, and the verdict that follows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.backup import restore_test as checks
from selfright.domain.backup.comparison import Difference, Kind
from selfright.domain.backup.invariants import Watched, broken_rules, watch
from selfright.domain.backup.restore_test import copy_name, made_by
from selfright.domain.backup.settings import (
    NOT_PUT_BACK,
    TableSettings,
    differing,
    may_be_put_back,
    policy_text,
)
from selfright.domain.backup.verdict import BackupCheck, CheckName, Verdict, all_eight, verdict_of
from selfright.domain.manifest import Invariant
from tests.unit.backup.builders import BEGAN, a_test, compared, settings

EIGHT = tuple(CheckName)
ALLOWS = '{"Statement": [{"Effect": "Allow", "Resource": "<table>"}]}'


def a_check(name: CheckName, verdict: Verdict) -> BackupCheck:
    return BackupCheck(name=name, verdict=verdict, reason="so it is")


# -- the verdict


@given(st.dictionaries(st.sampled_from(EIGHT), st.sampled_from(Verdict)))
def test_only_eight_passes_are_a_pass_and_any_failure_is_a_failure(made: dict[CheckName, Verdict]):
    found = all_eight(a_check(name, verdict) for name, verdict in made.items())

    verdict = verdict_of(found)

    assert tuple(check.name for check in found) == EIGHT
    assert (verdict is Verdict.FAIL) == (Verdict.FAIL in made.values())
    assert (verdict is Verdict.PASS) == (made == dict.fromkeys(EIGHT, Verdict.PASS))


def test_seven_passes_are_no_pass_even_before_the_missing_one_is_filled_in():
    assert verdict_of([a_check(name, Verdict.PASS) for name in EIGHT[:7]]) is Verdict.INCONCLUSIVE
    assert verdict_of([]) is Verdict.INCONCLUSIVE


def test_a_check_is_made_once():
    twice = [a_check(CheckName.RPO, Verdict.FAIL), a_check(CheckName.RPO, Verdict.PASS)]

    with pytest.raises(ValueError, match="rpo-achieved was checked twice"):
        all_eight(twice)


# -- complete, integrity

MISSING = Difference(key="order_id=o-1", kind=Kind.MISSING)
EXTRA = Difference(key="order_id=o-2", kind=Kind.EXTRA)
CHANGED = Difference(key="order_id=o-3", kind=Kind.CHANGED)


@pytest.mark.parametrize(
    ("found", "complete", "whole", "named"),
    [
        (compared(), Verdict.PASS, Verdict.PASS, ()),
        (compared(source_items=0, copy_items=0), Verdict.PASS, Verdict.PASS, ()),
        (
            compared(copy_items=2, counts={Kind.MISSING: 1}, differences=(MISSING,)),
            Verdict.FAIL,
            Verdict.PASS,
            ("order_id=o-1",),
        ),
        (
            compared(copy_items=4, counts={Kind.EXTRA: 1}, differences=(EXTRA,)),
            Verdict.FAIL,
            Verdict.PASS,
            ("order_id=o-2",),
        ),
        (compared(counts={Kind.CHANGED: 1}, differences=(CHANGED,)), Verdict.PASS, Verdict.FAIL, ()),
        # counts alone are enough to fail, and one item out and another in does not hide behind equal counts
        (compared(copy_items=2), Verdict.FAIL, Verdict.PASS, ()),
        (
            compared(counts={Kind.MISSING: 1, Kind.EXTRA: 1}, differences=(MISSING, EXTRA)),
            Verdict.FAIL,
            Verdict.PASS,
            ("order_id=o-1", "order_id=o-2"),
        ),
        (compared(problems=("data/x.json.gz is missing",)), Verdict.FAIL, Verdict.INCONCLUSIVE, ()),
        # more differences than were looked at one by one
        (compared(all_located=False), Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, ()),
        (
            compared(all_located=False, counts={Kind.CHANGED: 1000}, differences=(CHANGED,)),
            Verdict.INCONCLUSIVE,
            Verdict.FAIL,
            (),
        ),
    ],
)
def test_what_a_comparison_says(found: Any, complete: Verdict, whole: Verdict, named: tuple[str, ...]):
    first, second = checks.completeness(found), checks.integrity(found, ())

    assert (first.verdict, second.verdict) == (complete, whole)
    assert first.names == named


def test_a_comparison_that_finds_no_planted_fault_proves_nothing():
    check = checks.integrity(compared(), ("alter",))
    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.reason == "the comparison does not find planted faults: alter"


def test_an_empty_table_an_export_cut_short_and_a_bad_part_are_told_apart():
    empty = checks.completeness(compared(source_items=0, copy_items=0)).reason
    short = checks.completeness(
        compared(copy_items=2, counts={Kind.MISSING: 1}, differences=(MISSING,))
    ).reason
    missing = checks.completeness(compared(problems=("data/x.json.gz is missing",))).reason
    altered = checks.completeness(compared(problems=("data/x.json.gz: md5 is not the manifest's",))).reason

    assert empty == "source and copy are empty, and their exports are whole"
    assert short == "3 items in the source, 2 in the copy; missing order_id=o-1"
    assert missing == "an export is not whole: data/x.json.gz is missing"
    assert altered == "an export is not whole: data/x.json.gz: md5 is not the manifest's"


# -- settings


def test_equal_settings_are_parity():
    assert checks.settings_parity(settings(), settings()).verdict is Verdict.PASS


@pytest.mark.parametrize("name", sorted(set(TableSettings.model_fields) - set(NOT_PUT_BACK)))
def test_every_setting_that_differs_is_named(name: str):
    other: dict[str, Any] = {
        "keys": ("order_id N HASH",),
        "indexes": {},
        "billing_mode": "PAY_PER_REQUEST",
        "read_units": 7,
        "write_units": None,
        "on_demand_maximum": "read 5",
        "encryption": "KMS",
        "time_to_live": None,
        "stream": None,
        "tags": {"team": "red"},
        "point_in_time_recovery_days": 1,
        "deletion_protection": False,
        "resource_policy": ALLOWS,
        "table_class": "STANDARD_INFREQUENT_ACCESS",
    }

    check = checks.settings_parity(settings(), settings(**{name: other[name]}))

    assert check.verdict is Verdict.FAIL
    assert check.names == (name,)
    assert name in check.reason


def test_tags_of_aws_and_of_the_test_itself_are_nobodys_setting():
    copy = settings(tags={"team": "blue", "selfright:restore-test": "rt-0123456789ab"})
    source = settings(tags={"team": "blue", "aws:cloudformation:stack-name": "shop"})

    assert differing(source, copy) == {}


DENIES = '{"Statement": [{"Effect": "Allow"}, {"Effect": "Deny"}]}'


@pytest.mark.parametrize(
    ("had", "told"),
    [
        (
            {"autoscaling": {"read": "5 to 100"}},
            "autoscaling: read 5 to 100 was not put back: scalable targets",
        ),
        (
            {"replicas": ("eu-west-1", "eu-west-3")},
            "replicas: eu-west-1, eu-west-3 was not put back: a replica",
        ),
        ({"resource_policy": DENIES}, "resource_policy: it was not put back: it denies something"),
    ],
)
def test_what_nobody_put_back_is_not_taken_for_parity(had: dict[str, Any], told: str):
    check = checks.settings_parity(settings(**had), settings())

    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.names == tuple(had)
    assert check.reason.startswith(told)
    assert check.reason.endswith("by hand")


def test_a_policy_that_allows_is_put_back_or_missed():
    source = settings(resource_policy=ALLOWS)
    assert checks.settings_parity(source, source).verdict is Verdict.PASS
    assert checks.settings_parity(source, settings()).verdict is Verdict.FAIL


@pytest.mark.parametrize("effect", ["Deny", "deny", None])
def test_a_single_statement_is_a_list_of_one_and_what_is_no_allow_is_a_denial(effect: str | None):
    assert may_be_put_back('{"Statement": {"Effect": "Allow"}}')
    assert not may_be_put_back(json.dumps({"Statement": {"Effect": effect}}))


def test_the_same_policy_of_two_tables_is_the_same():
    one, other = ("arn:aws:dynamodb:eu-central-1:123456789012:table/" + name for name in ("orders", "copy"))
    texts = [
        policy_text(f'{{"Statement": [{{"Resource": ["{arn}", "{arn}/index/*"], "Effect": "Allow"}}]}}', arn)
        for arn in (one, other)
    ]
    assert (
        texts[0]
        == texts[1]
        == '{"Statement": [{"Effect": "Allow", "Resource": ["<table>", "<table>/index/*"]}]}'
    )


# -- invariants

KEYS = ("order_id",)


def rule(**fields: Any) -> Invariant:
    return Invariant.model_validate({"name": "the rule", **fields})


def order(number: int, **attributes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"order_id": {"S": f"o-{number}"}, **attributes}


@pytest.mark.parametrize(
    ("fields", "item", "holds"),
    [
        ({}, order(1, state={"S": "open"}), True),
        ({}, order(1), False),
        ({"optional": True}, order(1), True),
        ({"type": "S"}, order(1, state={"S": "open"}), True),
        ({"type": "S"}, order(1, state={"N": "1"}), False),
        ({"one_of": ["open", "paid"]}, order(1, state={"S": "paid"}), True),
        ({"one_of": ["open", "paid"]}, order(1, state={"S": "lost"}), False),
        ({"minimum": 0, "maximum": 1}, order(1, state={"N": "1"}), True),
        (
            {"minimum": 0, "maximum": 1},
            order(1, state={"N": "1.0000000000000000000000000000000000001"}),
            False,
        ),
        ({"minimum": 0}, order(1, state={"N": "-1E-130"}), False),
        ({"minimum": 0}, order(1, state={"S": "5"}), False),
    ],
)
def test_a_rule_about_an_attribute(fields: dict[str, Any], item: Any, holds: bool):
    rules = [rule(attribute="state", **fields)]
    check = checks.invariants(rules, broken_rules(rules, watch([item], rules, KEYS)))

    assert check.verdict is (Verdict.PASS if holds else Verdict.FAIL)
    assert ("order_id=o-1" in check.reason) == (not holds)


def test_a_rule_about_how_many_items_there_are():
    rules = [rule(at_least_items=2)]
    one, other = (watch([order(number)], rules, KEYS) for number in (1, 2))

    reason = checks.invariants(rules, broken_rules(rules, one)).reason
    assert reason == "the rule: 1 items, at least 2 wanted"
    assert checks.invariants(rules, broken_rules(rules, one + other)).verdict is Verdict.PASS


def test_many_broken_items_are_counted_and_some_are_named():
    rules = [rule(attribute="state")]
    # In two parts of an export, and in one
    parts = [watch(map(order, numbers), rules, KEYS) for numbers in (range(20), range(20, 50))]
    seen = sum(parts, start=Watched())
    assert seen == watch(map(order, range(50)), rules, KEYS)

    reason = checks.invariants(rules, broken_rules(rules, seen)).reason

    assert "broken by 50 items" in reason
    assert reason.count("order_id=") == 10


def test_without_an_invariant_nobody_knows():
    assert checks.invariants([], []).verdict is Verdict.INCONCLUSIVE


# -- RPO and RTO


def test_rpo_is_from_the_recovery_point_to_the_start():
    test = a_test(point=BEGAN - timedelta(minutes=59))
    assert checks.rpo(test, 3600, sentinel=False) == BackupCheck(
        name=CheckName.RPO,
        verdict=Verdict.PASS,
        reason="3540 s would have been lost by the age of the recovery point, 3600 s are allowed",
    )
    late = a_test(point=BEGAN - timedelta(minutes=61))
    assert checks.rpo(late, 3600, sentinel=False).verdict is Verdict.FAIL


def test_a_sentinel_is_believed_before_the_recovery_point():
    stale = a_test(watched=Watched(witness=BEGAN - timedelta(minutes=61)))
    assert stale.rpo_seconds == 3660
    assert checks.rpo(stale, 3600, sentinel=True).verdict is Verdict.FAIL
    fresh = a_test(watched=Watched(witness=BEGAN - timedelta(minutes=6)))
    assert checks.rpo(fresh, 3600, sentinel=True).reason == (
        "360 s would have been lost by the sentinel, 3600 s are allowed"
    )


def test_a_sentinel_that_is_wanted_and_missing_fails():
    assert checks.rpo(a_test(), 3600, sentinel=True).verdict is Verdict.FAIL


def test_rto_is_restoring_and_setting_up_without_comparing():
    setting_up = {
        "settings_began_at": BEGAN + timedelta(hours=7),
        "set_up_at": BEGAN + timedelta(hours=7, minutes=1),
    }
    test = a_test(restored_at=BEGAN + timedelta(hours=3), **setting_up)
    assert test.rto_seconds == 3 * 3600 + 60
    assert checks.rto(test, 4 * 3600).verdict is Verdict.PASS
    assert checks.rto(test, 3 * 3600).verdict is Verdict.FAIL


def test_what_was_not_measured_is_not_known():
    unmeasured = a_test(point=None, restored_at=None, set_up_at=None)
    assert checks.rpo(unmeasured, 3600, sentinel=False).verdict is Verdict.INCONCLUSIVE
    assert checks.rto(unmeasured, 3600).verdict is Verdict.INCONCLUSIVE


# -- names


def test_a_copys_name_says_whose_it_is_and_fits():
    name = copy_name("rt-0123456789ab", "t" * 255)
    assert len(name) == 255
    assert made_by(name) == "rt-0123456789ab"
    assert made_by("shop-production-orders") is None
    assert made_by("selfright-restore-by-hand") is None
