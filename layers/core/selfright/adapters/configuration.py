"""A workload's configuration as AWS has it now: parameters, flags, functions, alarms, dashboards. Changes nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import NotFoundError, RefusedError
from selfright.domain.manifest import Workload
from selfright.domain.manifest.resources import LambdaFunction

# What DescribeAlarms answers beside what PutMetricAlarm and PutCompositeAlarm take.
NOT_PUT = (
    "AlarmArn",
    "AlarmConfigurationUpdatedTimestamp",
    "StateValue",
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "EvaluationState",
    "ActionsSuppressedBy",
    "ActionsSuppressedReason",
)
# What GetFunctionConfiguration answers about one moment of it, and nobody can set.
NOT_SET = ("ResponseMetadata", "LastModified", "LastUpdateStatus", "RevisionId", "State", "Environment")
ALARMS_A_CALL = 100  # names that one DescribeAlarms takes


class AwsConfiguration:
    """`key`: of KMS, encrypts the values of functions' environments."""

    def __init__(self, aws: Aws, key: str) -> None:
        self._aws, self._key = aws, key

    def read(self, workload: Workload) -> dict[str, Any]:
        alarms = self._alarms(workload)
        return {
            "parameters": dict(self._parameters(workload)),
            "flags": {name: self._flags(name) for name in _applications(workload)},
            "functions": {
                key: self._function(function)
                for key, function in workload.resources.items()
                if isinstance(function, LambdaFunction)
            },
            "alarms": alarms["MetricAlarms"],
            "composite_alarms": alarms["CompositeAlarms"],
            "dashboards": dict(self._dashboards(f"{workload.workload}-{workload.environment}")),
        }

    def _parameters(self, workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
        """A SecureString is named with its version; its value is never asked for in the clear, nor kept."""
        for path in workload.backup.parameters:
            with translated(f"reading the parameters below {path}"):
                found = self._pages(
                    "ssm",
                    "get_parameters_by_path",
                    "Parameters",
                    Path=path,
                    Recursive=True,
                    WithDecryption=False,
                )
            for each in found:
                told = {"type": each["Type"], "version": each["Version"]}
                secret = each["Type"] == "SecureString"
                yield each["Name"], {**told, **({"secret": True} if secret else {"value": each["Value"]})}

    def _flags(self, application: str) -> dict[str, Any]:
        """Environments, and every hosted profile with its newest version and the one deployed to each environment."""
        with translated(f"reading AppConfig application {application}"):
            applications = self._pages("appconfig", "list_applications", "Items")
            ids = [each["Id"] for each in applications if each["Name"] == application]
            if len(ids) != 1:
                raise NotFoundError(
                    f"AppConfig has {len(ids)} applications called {application}; one is wanted"
                )
            (id_,) = ids
            environments = self._pages("appconfig", "list_environments", "Items", ApplicationId=id_)
            profiles = self._pages("appconfig", "list_configuration_profiles", "Items", ApplicationId=id_)
            deployed = {each["Name"]: self._deployed(id_, each["Id"]) for each in environments}
            return {
                "id": id_,
                "environments": deployed,
                "profiles": {
                    each["Name"]: self._profile(
                        id_, each, {there["deployed"].get(each["Name"]) for there in deployed.values()}
                    )
                    for each in profiles
                },
            }

    def _deployed(self, application: str, environment: str) -> dict[str, Any]:
        """By profile: the version that its last complete deployment brought."""
        found = self._pages(
            "appconfig", "list_deployments", "Items", ApplicationId=application, EnvironmentId=environment
        )
        newest: dict[str, Any] = {}
        for each in sorted(found, key=lambda one: one["DeploymentNumber"]):
            if each["State"] == "COMPLETE":
                newest[each["ConfigurationName"]] = each["ConfigurationVersion"]
        return {"id": environment, "deployed": newest}

    def _profile(
        self, application: str, profile: Mapping[str, Any], deployed: set[str | None]
    ) -> dict[str, Any]:
        told = {"id": profile["Id"], "location": profile["LocationUri"], "type": profile.get("Type")}
        if profile["LocationUri"] != "hosted":
            return told
        where = {"ApplicationId": application, "ConfigurationProfileId": profile["Id"]}
        found = self._pages("appconfig", "list_hosted_configuration_versions", "Items", **where)
        numbers = [each["VersionNumber"] for each in found]
        newest = max(numbers, default=None)
        kept = {}
        for number in (each for each in numbers if each == newest or str(each) in deployed):
            version = self._aws.client("appconfig").get_hosted_configuration_version(
                **where, VersionNumber=number
            )
            text = version["Content"].read().decode()
            kept[str(number)] = {"content_type": version["ContentType"], "content": text}
        return {**told, "versions": kept}

    def _function(self, function: LambdaFunction) -> dict[str, Any]:
        client, name = self._aws.client("lambda"), function.name
        with translated(f"reading the configuration of function {name}"):
            alias = client.get_alias(FunctionName=name, Name=function.alias)
            live = client.get_function_configuration(FunctionName=name, Qualifier=alias["FunctionVersion"])
            versions = self._pages("lambda", "list_versions_by_function", "Versions", FunctionName=name)
            reserved = client.get_function_concurrency(FunctionName=name)
        return {
            "name": name,
            "configuration": {key: value for key, value in live.items() if key not in NOT_SET},
            "environment": self._encrypted(name, live.get("Environment", {})),
            "alias": {key: alias.get(key) for key in ("Name", "FunctionVersion", "RoutingConfig")},
            "versions": {each["Version"]: each["CodeSha256"] for each in versions},
            "reserved_concurrency": reserved.get("ReservedConcurrentExecutions"),
        }

    def _encrypted(self, function: str, environment: Mapping[str, Any]) -> dict[str, str]:
        """Base64 of what KMS made of each value. Lambda's 4 KB for all of them is what KMS encrypts at once."""
        if environment.get("Error"):
            raise RefusedError(f"Lambda does not tell the environment of {function}: {environment['Error']}")
        kept = {}
        for name, value in sorted(environment.get("Variables", {}).items()):
            if not value:  # KMS encrypts no empty text, and there is nothing to hide
                kept[name] = ""
                continue
            with translated(f"encrypting {name} of {function}", changing=True):
                sealed = self._aws.client("kms").encrypt(
                    KeyId=self._key,
                    Plaintext=value.encode(),
                    EncryptionContext={"function": function, "variable": name},
                )
            kept[name] = b64encode(sealed["CiphertextBlob"]).decode()
        return kept

    def _alarms(self, workload: Workload) -> dict[str, dict[str, Any]]:
        """Those of the manifest, and those called after the workload; what PutMetricAlarm would take."""
        both: dict[str, dict[str, Any]] = {"MetricAlarms": {}, "CompositeAlarms": {}}
        names = sorted(alarm.name for alarm in workload.alarms.values())
        asked: list[dict[str, Any]] = [{"AlarmNamePrefix": f"{workload.workload}-{workload.environment}-"}]
        asked += [{"AlarmNames": names[n : n + ALARMS_A_CALL]} for n in range(0, len(names), ALARMS_A_CALL)]
        for question in asked:
            with translated("reading alarms"):
                pages = (
                    self._aws.client("cloudwatch")
                    .get_paginator("describe_alarms")
                    .paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"], **question)
                )
                for page in pages:
                    for kind, found in both.items():
                        for alarm in page.get(kind, ()):
                            found[alarm["AlarmName"]] = {k: v for k, v in alarm.items() if k not in NOT_PUT}
        lost = [name for name in names if not any(name in found for found in both.values())]
        if lost:
            raise NotFoundError(f"CloudWatch has no alarm {lost[0]}, which the manifest names")
        return both

    def _dashboards(self, prefix: str) -> Iterator[tuple[str, str]]:
        with translated("reading dashboards"):
            client = self._aws.client("cloudwatch")
            pages = client.get_paginator("list_dashboards").paginate(DashboardNamePrefix=prefix)
            for each in (entry for page in pages for entry in page.get("DashboardEntries", ())):
                name = each["DashboardName"]
                yield name, client.get_dashboard(DashboardName=name)["DashboardBody"]

    def _pages(self, service: str, operation: str, items: str, **asked: Any) -> list[dict[str, Any]]:
        client = self._client(service)
        pages = client.get_paginator(operation).paginate(**asked)
        return [item for page in pages for item in page.get(items, ())]

    def _client(self, service: str) -> Any:
        """Each by its literal name: layers/trim_models.py looks for them."""
        match service:
            case "ssm":
                return self._aws.client("ssm")
            case "lambda":
                return self._aws.client("lambda")
            case _:
                return self._aws.client("appconfig")


def _applications(workload: Workload) -> list[str]:
    """AppConfig applications of the functions' circuits; a workload without any has no flags in AppConfig."""
    functions = [each for each in workload.resources.values() if isinstance(each, LambdaFunction)]
    return sorted({circuit.application for each in functions for circuit in each.circuits.values()})
