"""CloudFormation templates: fetched from S3 and kept there, and read as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from selfright.adapters.artifacts import see_that_it_is
from selfright.adapters.aws import Aws, translated
from selfright.domain.errors import RefusedError
from selfright.domain.release import StackTemplate
from selfright.stack_ports import TemplateText


class S3Templates:
    """`bucket`: where templates from before a release are kept."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self._bucket = aws, bucket

    def fetch(self, template: StackTemplate) -> TemplateText:
        content, found = self._read(template.bucket, template.key, template.object_version)
        see_that_it_is(template, hashlib.sha256(content).hexdigest())
        return found

    def keep(self, release_id: str, text: str) -> None:
        with translated(f"keeping the template from before {release_id}"):
            self._aws.client("s3").put_object(Bucket=self._bucket, Key=_key(release_id), Body=text.encode())

    def kept(self, release_id: str) -> TemplateText:
        return self._read(self._bucket, _key(release_id), None)[1]

    def _read(self, bucket: str, key: str, version: str | None) -> tuple[bytes, TemplateText]:
        client = self._aws.client("s3")
        where = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
        with translated(f"reading s3://{bucket}/{key}"):
            found = client.get_object(**where)
            content = found["Body"].read()
        version = found.get("VersionId")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise RefusedError(f"s3://{bucket}/{key} is no template: it is no UTF-8 text") from None
        if version in {None, "null"}:  # another text may lie there when CloudFormation looks
            return content, TemplateText(text)
        region = client.meta.region_name
        return content, TemplateText(
            text, f"https://s3.{region}.amazonaws.com/{bucket}/{key}?versionId={version}"
        )


def parsed(template: Any) -> dict[str, Any] | None:
    """A template as plain data, short functions in their long form; None where it is none."""
    if isinstance(template, Mapping):
        return dict(template)
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
        name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
        if isinstance(node, yaml.SequenceNode):
            return {name: loader.construct_sequence(node, deep=True)}
        if isinstance(node, yaml.MappingNode):
            return {name: loader.construct_mapping(node, deep=True)}
        return {name: node.value}

    Loader.add_multi_constructor("!", function)
    try:
        found = yaml.load(template, Loader=Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) else None


def _key(release_id: str) -> str:
    return f"releases/{release_id}/template"
