"""Alarm mute rules: PutAlarmMuteRule and its like, and which rule mutes an alarm now.

A rule is read and judged by the product's own evaluator. Source: CloudWatch API Reference, PutAlarmMuteRule;
ListAlarmMuteRules filters by target alarm and by status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import cloudwatch

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.wrapping import original, replace
from selfright.domain.alarms import MuteRule, is_muted
from selfright.domain.errors import BadInputError

MAX_TARGETS = 100
MAX_PAGE = 100

HandleRequest = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Any]]
Record = dict[str, Any]

_rules = AccountRegionScopedDict()  # rule name -> what GetAlarmMuteRule shows, without its status


class _RefusedError(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def muting_rule(alarm_name: str, now: float) -> str | None:
    """ARN of a rule that mutes the alarm at `now`."""
    at = datetime.fromtimestamp(now, UTC)
    for record in _rules.values():
        if alarm_name in _targets(record) and is_muted(MuteRule.parse(record), at):
            return str(record["AlarmMuteRuleArn"])
    return None


class MuteRules:
    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def put(self, data: Record) -> Record:
        record: Record = {
            key: data[key] for key in ("Name", "Description", "Rule", "MuteTargets") if key in data
        }
        for key in ("StartDate", "ExpireDate"):
            if data.get(key) is not None:
                record[key] = datetime.fromtimestamp(original(cloudwatch, "_parse_ts")(data[key]), UTC)
        try:
            rule = MuteRule.parse(record)
        except BadInputError as error:
            raise _RefusedError("ValidationError", str(error)) from None
        if len(_targets(record)) > MAX_TARGETS:
            raise _RefusedError("ValidationError", f"MuteTargets.AlarmNames: at most {MAX_TARGETS} alarms")
        arn = f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm-mute-rule:{rule.name}"
        _rules[rule.name] = {
            **record,
            "AlarmMuteRuleArn": arn,
            "LastUpdatedTimestamp": datetime.fromtimestamp(self._clock.time(), UTC),
            "MuteType": "ONE_TIME" if isinstance(rule.starts, datetime) else "RECURRING",
        }
        return {}

    def get(self, data: Record) -> Record:
        record = _rules.get(data.get("AlarmMuteRuleName"))
        if record is None:
            name = data.get("AlarmMuteRuleName")
            raise _RefusedError("ResourceNotFoundException", f"Alarm mute rule {name} does not exist", 404)
        return {**record, "Status": self._status(record)}

    def list(self, data: Record) -> Record:
        statuses = data.get("Statuses") or ()
        target = data.get("AlarmName")
        found = [
            (name, record, status)
            for name, record in sorted(_rules.items())
            if (target is None or target in _targets(record))
            and ((status := self._status(record)) in statuses or not statuses)
            and name >= (data.get("NextToken") or "")
        ]
        size = int(data.get("MaxRecords") or MAX_PAGE)
        shown = ("AlarmMuteRuleArn", "ExpireDate", "MuteType", "LastUpdatedTimestamp")
        page = [
            {**{key: record[key] for key in shown if key in record}, "Status": status}
            for _, record, status in found[:size]
        ]
        more = {"NextToken": found[size][0]} if len(found) > size else {}
        return {"AlarmMuteRuleSummaries": page, **more}

    def delete(self, data: Record) -> Record:
        _rules.pop(data.get("AlarmMuteRuleName"), None)  # "This operation is idempotent."
        return {}

    def _status(self, record: Record) -> str:
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        rule = MuteRule.parse(record)
        if is_muted(rule, now):
            return "ACTIVE"
        if rule.expire_date is not None and now >= rule.expire_date:
            return "EXPIRED"
        if isinstance(rule.starts, datetime):
            over = rule.starts.replace(tzinfo=rule.zone) + rule.duration <= now
            return "EXPIRED" if over else "SCHEDULED"
        return "SCHEDULED"


def install(clock: SandboxClock) -> None:
    rules = MuteRules(clock)
    operations = {
        "PutAlarmMuteRule": rules.put,
        "GetAlarmMuteRule": rules.get,
        "ListAlarmMuteRules": rules.list,
        "DeleteAlarmMuteRule": rules.delete,
    }

    def serving(before: HandleRequest) -> HandleRequest:
        async def handle_request(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Any:
            named = re.search(r"/operation/(\w+)", path)
            target = headers.get("x-amz-target", "").rpartition(".")[2]
            operation = operations.get(named[1] if named else target)
            if operation is None:
                return await before(method, path, headers, body, query)
            return _answer(operation, body, is_cbor="cbor" in headers.get("content-type", ""))

        return handle_request

    replace(cloudwatch, "handle_request", serving)


def _answer(operation: Callable[[Record], Record], body: bytes, *, is_cbor: bool) -> Any:
    data = _decoded(body, is_cbor)
    try:
        shown = operation(data)
    except _RefusedError as error:
        return original(cloudwatch, "_error")(
            error.code, str(error), error.status, use_json=not is_cbor, use_cbor=is_cbor
        )
    stamped = {key: _stamp(value, is_cbor) for key, value in shown.items()}
    if "AlarmMuteRuleSummaries" in stamped:
        stamped["AlarmMuteRuleSummaries"] = [
            {key: _stamp(value, is_cbor) for key, value in row.items()}
            for row in shown["AlarmMuteRuleSummaries"]
        ]
    return original(cloudwatch, "_cbor_ok" if is_cbor else "_json_ok")(stamped)


def _decoded(body: bytes, is_cbor: bool) -> Record:
    if not is_cbor:
        return dict(json.loads(body or b"{}"))
    import cbor2  # type: ignore[import-not-found]  # an extra of MiniStack: boto3 speaks JSON to CloudWatch

    return dict(cbor2.loads(body))


def _stamp(value: Any, is_cbor: bool) -> Any:
    if not isinstance(value, datetime):
        return value
    epoch = value.timestamp()
    return original(cloudwatch, "_cbor_timestamp")(epoch) if is_cbor else epoch


def _targets(record: Record) -> list[str]:
    return list((record.get("MuteTargets") or {}).get("AlarmNames") or ())
