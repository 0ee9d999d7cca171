"""What a workload consists of on AWS: templates, state machines, code, objects. Changes nothing."""

from __future__ import annotations

import hashlib
import json
import tempfile
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPException
from typing import IO, Any

from selfright.adapters.aws import Aws, translated
from selfright.adapters.configuration import AwsConfiguration
from selfright.domain.errors import NotFoundError, RefusedError, SourceDownError
from selfright.domain.manifest import Workload
from selfright.recovery_ports import Package

CHUNK = 1024 * 1024  # bytes of a package held at once; Lambda takes up to 250 MB, and /tmp has 512 MB
TIMEOUT = 10.0  # seconds for every wait for bytes
MACHINE = ("name", "definition", "roleArn", "type", "loggingConfiguration", "tracingConfiguration")
STACK = ("StackName", "Description", "Capabilities", "Tags", "Outputs", "RoleARN", "StackStatus")


class AwsSystemState:
    """`key`: of KMS, see AwsConfiguration."""

    def __init__(self, aws: Aws, key: str) -> None:
        self._aws = aws
        self._configuration = AwsConfiguration(aws, key)

    def configuration(self, workload: Workload) -> dict[str, Any]:
        return self._configuration.read(workload)

    def template(self, stack: str) -> dict[str, Any]:
        client = self._aws.client("cloudformation")
        with translated(f"reading stack {stack}"):
            try:
                (found,) = client.describe_stacks(StackName=stack)["Stacks"]
            except client.exceptions.ClientError as error:
                # CloudFormation has no error of its own for a stack that is not there.
                if error.response["Error"]["Code"] == "ValidationError":
                    raise NotFoundError(f"there is no stack {stack}") from error
                raise
            original, processed = (
                client.get_template(StackName=stack, TemplateStage=stage)["TemplateBody"]
                for stage in ("Original", "Processed")
            )
        return {
            "stack": {name: found[name] for name in STACK if name in found},
            # The value of a NoEcho parameter is "****": CloudFormation never tells it.
            "parameters": {
                each["ParameterKey"]: each.get("ParameterValue") for each in found.get("Parameters", ())
            },
            "original": _text(original),
            "processed": _text(processed),
        }

    def state_machine(self, name: str) -> dict[str, Any]:
        client = self._aws.client("stepfunctions")
        with translated(f"reading state machine {name}"):
            pages = client.get_paginator("list_state_machines").paginate()
            arns = [
                each["stateMachineArn"]
                for page in pages
                for each in page["stateMachines"]
                if each["name"] == name
            ]
            if not arns:
                raise NotFoundError(f"there is no state machine {name}")
            found = client.describe_state_machine(stateMachineArn=arns[0])
        return {key: found[key] for key in MACHINE if key in found}

    def package(self, function: str, alias: str) -> Package:
        with translated(f"reading the code of function {function}"):
            client = self._aws.client("lambda")
            version = client.get_alias(FunctionName=function, Name=alias)["FunctionVersion"]
            found = client.get_function(FunctionName=function, Qualifier=version)
        if found["Configuration"].get("PackageType") == "Image":
            raise RefusedError(f"{function} is a container image: its registry keeps it, not this backup")
        code_sha256 = found["Configuration"]["CodeSha256"]
        content = tempfile.TemporaryFile()  # noqa: SIM115 - whoever takes it closes it
        try:
            digest = _downloaded(found["Code"]["Location"], function, content)
        except SourceDownError:
            content.close()
            raise
        if b64encode(digest).decode() != code_sha256:
            content.close()
            raise RefusedError(
                f"the package of {function} version {version} has not the hash that Lambda tells"
            )
        return Package(content, version, code_sha256)

    def objects(self, bucket: str, as_of: datetime) -> Iterator[dict[str, Any] | None]:
        client = self._aws.client("s3")
        with translated(f"listing bucket {bucket}"):
            if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
                raise RefusedError(f"bucket {bucket} has no versions: what a list of it names can be gone")
            pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
            decided: str | None = (
                None  # the key whose version of that moment is found: versions come newest first
            )
            for page in pages:
                for each in _in_order(page):
                    if each["Key"] == decided:
                        continue
                    if each["LastModified"] > as_of:
                        yield None
                        continue
                    decided = each["Key"]
                    if "Size" in each:  # else a delete marker: there was no such object
                        yield {
                            name: each.get(name)
                            for name in ("Key", "VersionId", "ETag", "Size", "LastModified", "StorageClass")
                        }


def _in_order(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Versions and delete markers of a page as S3 orders them: by key in UTF-8, newest first.

    S3 lists both in one order, and botocore parts them. No key's moments are out of order but within one second.
    """
    both = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    both.sort(key=lambda each: (each["LastModified"], each["IsLatest"]), reverse=True)
    both.sort(key=lambda each: each["Key"].encode())
    return both


def _downloaded(url: str, function: str, content: IO[bytes]) -> bytes:
    """SHA-256 of the package behind the address that Lambda signed for ten minutes; `content` is at its start."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - Lambda's own answer
            while chunk := answer.read(CHUNK):
                digest.update(chunk)
                content.write(chunk)
    except (OSError, HTTPException) as error:
        raise SourceDownError(f"downloading the code of function {function}: {error}") from error
    content.seek(0)
    return digest.digest()


def _text(body: Any) -> str:
    """As CloudFormation was given it: botocore parses a template that is JSON."""
    return body if isinstance(body, str) else json.dumps(body)
