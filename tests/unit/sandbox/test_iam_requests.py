"""Which permission the local IAM asks for."""

from __future__ import annotations

import pytest

from sandbox.emulator.iam_requests import lambda_action, role_of


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/2015-03-31/functions/shop/aliases/live", "GetAlias"),
        ("PUT", "/2015-03-31/functions/shop/aliases/live", "UpdateAlias"),
        ("GET", "/2019-09-30/functions/shop/concurrency", "GetFunctionConcurrency"),
        ("DELETE", "/2017-10-31/functions/shop/concurrency", "DeleteFunctionConcurrency"),
        ("GET", "/2019-09-30/functions/shop/provisioned-concurrency", "GetProvisionedConcurrencyConfig"),
        ("GET", "/2016-08-19/account-settings", "GetAccountSettings"),
        # What MiniStack names rightly is left to it.
        ("GET", "/2015-03-31/functions/shop/aliases", None),
        ("PUT", "/2017-10-31/functions/shop/concurrency", None),
        ("GET", "/2015-03-31/functions", None),
        ("POST", "/2015-03-31/functions/aliases/invocations", None),
        ("GET", "/2018-10-31/layers", None),
    ],
)
def test_lambdas_calls_ask_for_their_own_action(method: str, path: str, action: str | None):
    assert lambda_action(method, path) == action


def test_a_condition_on_the_principal_sees_the_role_and_not_its_session():
    session = "arn:aws:sts::000000000000:assumed-role/stack-RoomRole-1/i-2"
    assert role_of(session) == "arn:aws:iam::000000000000:role/stack-RoomRole-1"
    assert role_of("arn:aws:iam::000000000000:user/ada") == "arn:aws:iam::000000000000:user/ada"
