"""Whether a function is refused concurrency, and whose limit that is: its own, or the account's."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from selfright.checks.registry import check
from selfright.domain.catalogue import CheckDeclaration, CheckResult
from selfright.domain.manifest import LambdaFunction, ResourceType
from selfright.domain.serving import KEPT_UNRESERVED
from selfright.ports import Instruments

REFUSED_SHARE = 0.01  # of all requests, from which refusals are more than the edge of a burst


class QuotaWindow(BaseModel):
    """How far back to look."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    minutes: int = Field(default=10, ge=3, le=60)


@check(
    CheckDeclaration(
        name="lambda.quotas",
        summary="Requests refused for lack of concurrency, and what could be reserved",
        resource_types=frozenset({ResourceType.LAMBDA_FUNCTION}),
        parameters=QuotaWindow,
        permissions=frozenset(
            {"cloudwatch:GetMetricData", "lambda:GetAccountSettings", "lambda:GetFunctionConcurrency"}
        ),
        findings={
            "refused-by-own-limit": "requests were refused by the function's own reserved concurrency",
            "account-limit-reached": "requests were refused though the function reserves nothing: the account is full",
            "concurrency-raisable": "manifest and account allow a higher reservation than now",
        },
    )
)
def quotas(instruments: Instruments, resource: LambdaFunction, window: QuotaWindow) -> CheckResult:
    now = instruments.clock.now()
    tally = instruments.functions.tally(resource.name, now - timedelta(minutes=window.minutes), now)
    state = instruments.functions.concurrency(resource.name)
    refused = sum(tally.refused.values())
    # A refused request never became an invocation.
    short = refused > REFUSED_SHARE * (tally.invoked + refused)
    room = state.account_unreserved - KEPT_UNRESERVED
    return CheckResult(
        findings={
            "refused-by-own-limit": short and state.reserved is not None,
            "account-limit-reached": short and state.reserved is None,
            "concurrency-raisable": state.reserved is not None
            and state.reserved < resource.concurrency.max
            and room > 0,
        },
        facts={"concurrency": state.model_dump(mode="json"), "refused": refused},
    )


CHECKS = (quotas,)
