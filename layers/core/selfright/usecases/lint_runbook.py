"""Prove that a runbook's steps hold together: what it names exists, and fits what it is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from selfright.domain.catalogue import Declaration
from selfright.domain.runbook import Runbook
from selfright.ports import Action, Check


def lint_runbook(runbook: Runbook, checks: Mapping[str, Check], actions: Mapping[str, Action]) -> list[str]:
    """What is wrong, one sentence each, as "<field>: <rule>"; empty where the machine can follow the runbook."""
    known = {
        f for step in runbook.checks if step.use in checks for f in checks[step.use].declaration.findings
    }
    return [
        *_check_problems(runbook, checks),
        *_remedy_problems(runbook, actions),
        *_finding_problems(runbook, known),
        # Findings and tried remedies are kept by these names: the second would pass for the first.
        *_repeated("checks", "use", [step.use for step in runbook.checks]),
        *_repeated("remedies", "id", [remedy.id for remedy in runbook.remedies]),
    ]


def _check_problems(runbook: Runbook, checks: Mapping[str, Check]) -> Iterator[str]:
    for n, step in enumerate(runbook.checks):
        if check := checks.get(step.use):
            yield from _unfit(f"checks.{n}", runbook, check.declaration, step.parameters)
        else:
            yield f"checks.{n}.use: there is no check {step.use}"


def _remedy_problems(runbook: Runbook, actions: Mapping[str, Action]) -> Iterator[str]:
    for n, remedy in enumerate(runbook.remedies):
        if action := actions.get(remedy.use):
            yield from _unfit(f"remedies.{n}", runbook, action.declaration, remedy.parameters)
        else:
            yield f"remedies.{n}.use: there is no action {remedy.use}"
        if never := sorted({*remedy.when} & {*remedy.unless}):
            yield f"remedies.{n}: {', '.join(never)} stands in when and in unless, so it never fits"


def _finding_problems(runbook: Runbook, known: set[str]) -> Iterator[str]:
    named = [(f"escalate_when.{n}.finding", rule.finding) for n, rule in enumerate(runbook.escalate_when)]
    for n, remedy in enumerate(runbook.remedies):
        named += [(f"remedies.{n}.when", finding) for finding in remedy.when]
        named += [(f"remedies.{n}.unless", finding) for finding in remedy.unless]
    for field, finding in named:
        if finding not in known:
            yield f"{field}: no check of the runbook finds {finding}"


def _unfit(
    field: str, runbook: Runbook, declaration: Declaration, parameters: Mapping[str, Any]
) -> Iterator[str]:
    for kind in runbook.matches.resource_types:
        if kind not in declaration.resource_types:
            yield f"{field}.use: {declaration.name} is not made for a {kind}"
    try:
        declaration.parameters.model_validate(parameters)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            yield f"{field}.{'.'.join(('parameters', *map(str, problem['loc'])))}: {problem['msg']}"


def _repeated(field: str, part: str, names: list[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{field}: {part} {name} must be used once"
