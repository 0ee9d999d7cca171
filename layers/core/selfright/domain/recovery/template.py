"""A stack's processed template, made fit for another account: its code and definitions come from the backup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from selfright.domain.errors import RefusedError

FUNCTION, MACHINE = "AWS::Lambda::Function", "AWS::StepFunctions::StateMachine"


class Account(NamedTuple):
    """Where a stack stands, for the pseudo parameters of its template."""

    partition: str
    account: str
    region: str

    @classmethod
    def of(cls, arn: str) -> Account:
        _, partition, _, region, account, *_ = arn.split(":")
        return cls(partition, account, region)


class Code(NamedTuple):
    """A package, staged in the other account."""

    bucket: str
    key: str


def rebuilt(
    template: Mapping[str, Any],
    names: Mapping[str, str],
    code: Mapping[str, Code],
    definitions: Mapping[str, str],
) -> dict[str, Any]:
    """The template with the code of its functions and the definitions of its state machines from the backup.

    `names` are what Ref and Sub may name, pseudo parameters included; `code` and `definitions` go by physical names.
    Raises RefusedError where the backup holds nothing for one of them: what is half there is not rebuilt.
    """
    resources = {key: dict(one) for key, one in template["Resources"].items()}
    for key, one in resources.items():
        properties = dict(one.get("Properties", {}))
        if one["Type"] == FUNCTION and "ZipFile" not in properties.get("Code", {}):
            package = _kept(code, properties.get("FunctionName"), names, key)
            properties["Code"] = {"S3Bucket": package.bucket, "S3Key": package.key}
        elif one["Type"] == MACHINE:
            for given in ("DefinitionS3Location", "DefinitionSubstitutions", "Definition"):
                properties.pop(given, None)
            properties["DefinitionString"] = _kept(
                definitions, properties.get("StateMachineName"), names, key
            )
        resources[key] = {**one, "Properties": properties}
    # What a transform made of the template is what is kept: it must not be applied to it once more.
    return {**{key: part for key, part in template.items() if key != "Transform"}, "Resources": resources}


def moved(text: str, old: Account, new: Account) -> str:
    """A definition whose ARNs name the other account and region."""
    return text.replace(f":{old.region}:{old.account}:", f":{new.region}:{new.account}:")


def names_of(where: Account, stack: str, parameters: Mapping[str, str]) -> dict[str, str]:
    pseudo = {
        "AWS::Partition": where.partition,
        "AWS::AccountId": where.account,
        "AWS::Region": where.region,
        "AWS::StackName": stack,
    }
    return {**parameters, **pseudo}


def resolved(value: Any, names: Mapping[str, str]) -> str | None:
    """The text that a Ref or a Sub of parameters stands for; None where it names anything else."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return None
    if "Ref" in value:
        return names.get(value["Ref"])
    text = value.get("Fn::Sub")
    if not isinstance(text, str) or set(_named(text)) - names.keys():
        return None
    return re.sub(r"\$\{([^}!]+)\}", lambda found: names[found[1]], text)


def _named(text: str) -> Iterator[str]:
    return (found[1] for found in re.finditer(r"\$\{([^}!]+)\}", text))


def _kept(kept: Mapping[str, Any], name: Any, names: Mapping[str, str], key: str) -> Any:
    physical = resolved(name, names)
    if physical is None or physical not in kept:
        raise RefusedError(
            f"the backup holds nothing for {key} ({physical or 'which has no name of its own'})"
        )
    return kept[physical]
