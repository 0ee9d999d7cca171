"""CloudFormation stacks: their state and drift, and change sets made, looked at and executed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.template_text import parsed
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.release.change_risk import Detail, ResourceChange
from selfright.domain.release.stack import ChangeSet, Drifted, DriftLook, StackState
from selfright.stack_ports import TemplateText

NO_ECHO = "****"  # what CloudFormation shows instead of such a parameter's value
LONGEST_BODY = 51_200  # bytes of a template in a call; longer ones are fetched from S3, up to 1 MB
# Whether a template may make IAM resources is decided by what its change set would grant (change_risk.py).
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_LOST_RACES = ("AlreadyExistsException", "InvalidChangeSetStatus", "OperationInProgressException")


class CloudFormationStacks:
    """`role`: ARN of the service role with which CloudFormation acts for this deployment."""

    def __init__(self, aws: Aws, role: str = "") -> None:
        self._aws, self._role = aws, role

    def state(self, stack: str) -> StackState:
        with self._asked(f"reading stack {stack}"):
            (found,) = self._client.describe_stacks(StackName=stack)["Stacks"]
        return StackState(
            status=found["StackStatus"],
            reason=found.get("StackStatusReason", ""),
            parameters={
                one["ParameterKey"]: None
                if one.get("ParameterValue") == NO_ECHO
                else one.get("ParameterValue")
                for one in found.get("Parameters", ())
            },
        )

    def look_for_drift(self, stack: str) -> str:
        with self._asked(f"looking for drift of {stack}"):
            return str(self._client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"])

    def drift(self, stack: str, look: str) -> DriftLook:
        with self._asked(f"reading the drift of {stack}"):
            found = self._client.describe_stack_drift_detection_status(StackDriftDetectionId=look)
            drifted = []
            if found.get("StackDriftStatus") == "DRIFTED":
                pages = self._pages(
                    self._client.describe_stack_resource_drifts,
                    StackName=stack,
                    StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
                )
                drifted = [one for page in pages for one in page["StackResourceDrifts"]]
        return DriftLook(
            detection=found["DetectionStatus"],
            status=found.get("StackDriftStatus", ""),
            reason=found.get("DetectionStatusReason", ""),
            drifted=tuple(
                Drifted(
                    resource=one["LogicalResourceId"],
                    kind=one["ResourceType"],
                    status=one["StackResourceDriftStatus"],
                    properties=tuple(d["PropertyPath"] for d in one.get("PropertyDifferences", ())),
                )
                for one in drifted
            ),
        )

    def template(self, stack: str, change_set: str | None = None) -> str:
        body = self._template(stack, change_set, "Original")
        # botocore reads a JSON template, and hands any other one on as it is
        return body if isinstance(body, str) else json.dumps(body)

    def resources(self, stack: str, change_set: str | None = None) -> Mapping[str, Any] | None:
        found = parsed(self._template(stack, change_set, "Processed"))
        resources = found.get("Resources") if found else None
        return resources if isinstance(resources, dict) else None

    def propose(
        self, stack: str, name: str, template: TemplateText, parameters: Mapping[str, str | None]
    ) -> None:
        declared = (parsed(template.text) or {}).get("Parameters") or {}
        existing = self.state(stack).parameters
        values = [_parameter(key, parameters.get(key), key in existing) for key in declared]
        request = {
            "StackName": stack,
            "ChangeSetName": name,
            "ClientToken": name,
            "Parameters": [value for value in values if value],
            "Capabilities": CAPABILITIES,
            **self._source(template),
            **({"RoleARN": self._role} if self._role else {}),
        }
        if unknown := sorted({key for key in parameters if key not in declared and key not in existing}):
            raise RefusedError(f"the template declares no parameter {', '.join(unknown)}")
        try:
            with self._asked(f"making change set {name} of {stack}", changing=True):
                self._client.create_change_set(**request)
        except BusyError:
            if self.change_set(stack, name) is None:
                raise

    def change_set(self, stack: str, name: str) -> ChangeSet | None:
        try:
            with self._asked(f"reading change set {name} of {stack}"):
                pages = list(
                    self._pages(self._client.describe_change_set, StackName=stack, ChangeSetName=name)
                )
        except NotFoundError:
            return None
        first = pages[0]
        return ChangeSet(
            status=first["Status"],
            execution=first.get("ExecutionStatus", ""),
            reason=first.get("StatusReason", ""),
            changes=tuple(_change(one) for page in pages for one in page.get("Changes", ())),
            parameters=frozenset(one["ParameterKey"] for one in first.get("Parameters", ())),
        )

    def discard(self, stack: str, name: str) -> None:
        with self._asked(f"deleting change set {name} of {stack}"):
            self._client.delete_change_set(StackName=stack, ChangeSetName=name)

    def execute(self, stack: str, name: str) -> None:
        with self._asked(f"executing change set {name} of {stack}", changing=True):
            self._client.execute_change_set(StackName=stack, ChangeSetName=name, ClientRequestToken=name)

    def go_on_rolling_back(self, stack: str, skip: Sequence[str] = ()) -> None:
        request = {"StackName": stack, **({"ResourcesToSkip": list(skip)} if skip else {})}
        with self._asked(f"going on rolling {stack} back", changing=True):
            self._client.continue_update_rollback(**request)

    def failure(self, stack: str, since: datetime) -> str:
        failed = ""
        with self._asked(f"reading the events of {stack}"):
            for page in self._pages(self._client.describe_stack_events, StackName=stack):
                for event in page["StackEvents"]:  # newest first
                    if event["Timestamp"] < since:
                        return failed
                    reason = event.get("ResourceStatusReason", "")
                    if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason.lower():
                        failed = f"{event['LogicalResourceId']} {event['ResourceStatus']}: {reason}"
        return failed

    def _template(self, stack: str, change_set: str | None, stage: str) -> Any:
        request = {"StackName": stack, "TemplateStage": stage}
        if change_set:
            request["ChangeSetName"] = change_set
        with self._asked(f"reading the template of {stack}"):
            return self._client.get_template(**request)["TemplateBody"]

    def _source(self, template: TemplateText) -> dict[str, str]:
        if len(template.text.encode()) <= LONGEST_BODY:
            return {"TemplateBody": template.text}
        if template.url is None:
            raise RefusedError(
                f"a template of more than {LONGEST_BODY} bytes must lie in a bucket that keeps versions"
            )
        return {"TemplateURL": template.url}

    def _pages(self, call: Any, **request: Any) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            page = call(**request, **({"NextToken": token} if token else {}))
            yield page
            token = page.get("NextToken")
            if not token:
                return

    @contextmanager
    def _asked(self, doing: str, *, changing: bool = False) -> Iterator[None]:
        """CloudFormation tells most of what it does not do as a ValidationError; the words say what it is."""
        with translated(doing, changing=changing):
            try:
                yield
            except self._client.exceptions.ClientError as error:
                told = error.response["Error"]
                if ours := _error(told["Code"], told["Message"], changing=changing):
                    raise ours(f"{doing}: {told['Message']}") from error
                raise

    @property
    def _client(self) -> Any:
        return self._aws.client("cloudformation")


def _error(code: str, text: str, *, changing: bool) -> type[Exception] | None:
    """None where adapters/aws.py knows better."""
    if code.startswith("ChangeSetNotFound"):
        return NotFoundError
    if code in _LOST_RACES:
        return BusyError
    if code == "ValidationError":
        if "does not exist" in text:
            return NotFoundError
        if "_IN_PROGRESS" in text or "in progress" in text:
            return BusyError
    refusals = {"ValidationError", "InsufficientCapabilitiesException", "AccessDenied"}
    return RefusedError if changing and code in refusals else None


def _parameter(key: str, value: str | None, known: bool) -> dict[str, Any] | None:
    """None for a new parameter that has its default."""
    if value is not None:
        return {"ParameterKey": key, "ParameterValue": value}
    return {"ParameterKey": key, "UsePreviousValue": True} if known else None


def _change(told: dict[str, Any]) -> ResourceChange:
    """Of a kind that is not known here (a hook, say), the words stand as they are, and nobody takes them for fine."""
    one = told.get("ResourceChange")
    if one is None:
        return ResourceChange(action=str(told.get("Type", "unknown")), resource="-", kind="unknown")
    return ResourceChange(
        action=one.get("Action", ""),
        resource=one.get("LogicalResourceId", ""),
        kind=one.get("ResourceType", ""),
        replacement=one.get("Replacement"),
        policy=one.get("PolicyAction"),
        details=tuple(_detail(detail) for detail in one.get("Details", ())),
    )


def _detail(told: dict[str, Any]) -> Detail:
    target = told.get("Target", {})
    return Detail(
        attribute=target.get("Attribute", ""),
        name=target.get("Name", ""),
        recreation=target.get("RequiresRecreation", ""),
        evaluation=told.get("Evaluation", ""),
        source=told.get("ChangeSource", ""),
        cause=told.get("CausingEntity", ""),
    )
