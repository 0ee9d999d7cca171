"""A workload's configuration, code and templates as AWS tells them; no secret in the clear."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from selfright.adapters.aws import Aws
from selfright.adapters.configuration import AwsConfiguration
from selfright.adapters.system_state import AwsSystemState
from selfright.domain.errors import NotFoundError, RefusedError, SourceDownError
from selfright.domain.manifest import Workload, load

PASSWORD = "correct horse battery staple"


@pytest.fixture
def key(aws: Aws) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def workload(**sections: Any) -> Workload:
    shop = {"workload": "shop", "description": "Sells things.", "owner": "shop-team", "resources": {}}
    return load(shop | sections, {}, "production")


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")
    return content.getvalue()


@pytest.fixture
def function(aws: Aws) -> Iterator[str]:
    """Version 1 behind `live`; what is not published yet is another password."""
    role = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    arn = aws.client("iam").create_role(RoleName="checkout", AssumeRolePolicyDocument=json.dumps(role))
    client, name = aws.client("lambda"), "shop-production-checkout"
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=arn["Role"]["Arn"],
        Code={"ZipFile": zipped()},
        Environment={"Variables": {"PASSWORD": PASSWORD, "EMPTY": ""}},
        Publish=True,
    )
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    yield name
    client.delete_function(FunctionName=name)
    aws.client("iam").delete_role(RoleName="checkout")


def of_checkout() -> Workload:
    return workload(
        resources={"checkout": {"type": "lambda-function", "name": "{workload}-{environment}-checkout"}}
    )


def test_an_environment_is_kept_and_nobody_without_the_key_can_read_it(aws: Aws, key: str, function: str):
    found = AwsConfiguration(aws, key).read(of_checkout())["functions"]["checkout"]

    assert PASSWORD not in json.dumps(found, default=str)
    context = {"function": function, "variable": "PASSWORD"}
    plain = aws.client("kms").decrypt(
        CiphertextBlob=b64decode(found["environment"]["PASSWORD"]), EncryptionContext=context
    )
    assert plain["Plaintext"].decode() == PASSWORD
    assert found["environment"]["EMPTY"] == ""
    assert found["alias"]["FunctionVersion"] == "1"
    assert found["configuration"]["Handler"] == "app.handler"
    assert set(found["versions"]) == {"$LATEST", "1"}


def test_the_value_of_a_secret_parameter_is_not_kept(aws: Aws, key: str):
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/shop/production/limit", Value="5", Type="String")
    ssm.put_parameter(Name="/shop/production/deep/password", Value=PASSWORD, Type="SecureString")
    ssm.put_parameter(Name="/shop/staging/limit", Value="6", Type="String")

    found = AwsConfiguration(aws, key).read(workload())["parameters"]

    assert found == {
        "/shop/production/limit": {"type": "String", "version": 1, "value": "5"},
        "/shop/production/deep/password": {"type": "SecureString", "version": 1, "secret": True},
    }


def test_flags_are_kept_as_deployed_and_as_newest(aws: Aws, key: str):
    appconfig = aws.client("appconfig")
    application = appconfig.create_application(Name="shop-flags")["Id"]
    profile = appconfig.create_configuration_profile(
        ApplicationId=application, Name="flags", LocationUri="hosted"
    )["Id"]
    for value in ("one", "two"):
        appconfig.create_hosted_configuration_version(
            ApplicationId=application,
            ConfigurationProfileId=profile,
            Content=value.encode(),
            ContentType="text/plain",
        )
    reading = AwsConfiguration(aws, key)
    answers = {
        "list_applications": [{"Id": application, "Name": "shop-flags"}],
        "list_environments": [{"Id": "e1", "Name": "production"}],
        "list_configuration_profiles": [{"Id": profile, "Name": "flags", "LocationUri": "hosted"}],
        "list_hosted_configuration_versions": [{"VersionNumber": n} for n in (1, 2)],
        "list_deployments": [
            {
                "DeploymentNumber": 2,
                "ConfigurationName": "flags",
                "ConfigurationVersion": "9",
                "State": "ROLLED_BACK",
            },
            {
                "DeploymentNumber": 1,
                "ConfigurationName": "flags",
                "ConfigurationVersion": "1",
                "State": "COMPLETE",
            },
        ],
    }
    reading._pages = lambda _, operation, *__, **___: answers[operation]  # type: ignore[method-assign]

    found = reading._flags("shop-flags")

    assert found["environments"]["production"]["deployed"] == {"flags": "1"}
    versions = found["profiles"]["flags"]["versions"]
    assert {number: each["content"] for number, each in versions.items()} == {"1": "one", "2": "two"}


def test_an_alarm_is_kept_as_it_would_be_put_again(aws: Aws, key: str):
    put = {
        "AlarmName": "shop-production-errors",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(**put)

    found = AwsConfiguration(aws, key).read(workload())["alarms"]["shop-production-errors"]

    assert put.items() <= found.items()
    assert not [name for name in found if name.startswith("State") or name == "AlarmArn"]
    cloudwatch.put_metric_alarm(**found)
    cloudwatch.delete_alarms(AlarmNames=[put["AlarmName"]])


def test_an_alarm_of_the_manifest_that_is_gone_is_an_error(aws: Aws, key: str):
    alarm = {"name": "shop-production-gone", "resource": "checkout", "symptom": "errors", "severity": "high"}
    resources = {"checkout": {"type": "lambda-function", "name": "x"}}

    with pytest.raises(NotFoundError, match="shop-production-gone"):
        AwsConfiguration(aws, key)._alarms(workload(resources=resources, alarms={"errors": alarm}))


# -- code


@pytest.fixture
def package(tmp_path: Path) -> Path:
    file = tmp_path / "code.zip"
    file.write_bytes(zipped())
    return file


class Told:
    """Lambda, as it tells of a package at an address."""

    def __init__(self, address: str, code_sha256: str, kind: str = "Zip") -> None:
        self._address, self._sha256, self._kind = address, code_sha256, kind

    def get_alias(self, **_: str) -> dict[str, str]:
        return {"FunctionVersion": "3"}

    def get_function(self, **asked: str) -> dict[str, Any]:
        assert asked["Qualifier"] == "3"
        configuration = {"CodeSha256": self._sha256, "PackageType": self._kind}
        return {"Configuration": configuration, "Code": {"Location": self._address}}


def told(aws: Aws, monkeypatch: pytest.MonkeyPatch, *about: str) -> AwsSystemState:
    monkeypatch.setitem(aws._clients, "lambda", Told(*about))
    return AwsSystemState(aws, "key")


def test_a_package_is_taken_byte_for_byte(aws: Aws, package: Path, monkeypatch: pytest.MonkeyPatch):
    digest = b64encode(sha256(package.read_bytes()).digest()).decode()

    found = told(aws, monkeypatch, package.as_uri(), digest).package("checkout", "live")

    with found.content as content:
        assert content.read() == package.read_bytes()
    assert (found.version, found.code_sha256) == ("3", digest)


def test_a_package_with_another_hash_than_lambdas_is_refused(
    aws: Aws, package: Path, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(RefusedError, match="has not the hash that Lambda tells"):
        told(aws, monkeypatch, package.as_uri(), "AAAA").package("checkout", "live")


def test_a_download_that_breaks_off_is_tried_again(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SourceDownError, match="downloading the code of function checkout"):
        told(aws, monkeypatch, (tmp_path / "gone.zip").as_uri(), "AAAA").package("checkout", "live")


def test_a_container_image_is_its_registrys(aws: Aws, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(RefusedError, match="container image"):
        told(aws, monkeypatch, "", "", "Image").package("checkout", "live")
