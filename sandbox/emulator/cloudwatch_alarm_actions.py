"""Alarm actions: SNS topics get the message, Lambda functions an asynchronous invocation."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, sns

from sandbox.emulator import cloudwatch_alarm_documents as documents
from sandbox.emulator.wrapping import original

logger = logging.getLogger(__name__)

_FIELD = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def wanted(alarm: dict[str, Any]) -> list[str]:
    """The actions of the state the alarm is in; none where they are disabled."""
    if not alarm.get("ActionsEnabled", True):
        return []
    return list(alarm.get(_FIELD[alarm["StateValue"]]) or ())


def perform(alarm: dict[str, Any], detail: dict[str, Any]) -> None:
    """Perform the alarm's actions, each for itself: one that fails is logged and stops no other."""
    account, region = get_account_id(), get_region()
    for arn in wanted(alarm):
        service = arn.split(":")[2]
        try:
            if service == "sns":
                message = documents.sns_message(alarm, detail, account, region)
                subject = documents.sns_subject(alarm, detail, region)
                original(sns, "_fanout")(arn, str(uuid.uuid4()), message, subject)
            elif service == "lambda":
                _invoke(arn, documents.lambda_event(alarm, detail, account, region))
            else:
                logger.warning("alarm %s: %s is no action that the sandbox has", alarm["AlarmName"], arn)
        except Exception:
            logger.exception("alarm %s: action %s failed", alarm["AlarmName"], arn)


def _invoke(arn: str, event: dict[str, Any]) -> None:
    function, config, name = original(lambda_svc, "_get_func_record_for_ref")(arn)
    if function is None:
        logger.warning("alarm action: there is no function %s", name)
        return
    record = original(lambda_svc, "_execution_record_for_config")(function, config)
    original(lambda_svc, "invoke_async_with_retry")(record, event)
