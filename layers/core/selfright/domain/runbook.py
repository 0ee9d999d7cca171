"""A runbook: prose for people, steps for the machine, in one file. And the choice of what to try next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfright.domain.errors import ManifestError
from selfright.domain.manifest import ResourceType, Severity, Symptom

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid", str_strip_whitespace=True)
Name = Field(pattern=r"^[a-z][a-z0-9-]{1,60}$")
Prose = Field(min_length=1)


class Matches(BaseModel):
    """Which incidents a runbook is for: any of these symptoms of any of these kinds of resource."""

    model_config = FROZEN

    resource_types: tuple[ResourceType, ...] = Field(min_length=1)
    symptoms: tuple[Symptom, ...] = Field(min_length=1)


class CheckStep(BaseModel):
    """A check to run; `use` names it in the catalogue."""

    model_config = FROZEN

    use: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class Remedy(BaseModel):
    """An action to try where every finding of `when` is true and every finding of `unless` is false."""

    model_config = FROZEN

    id: str = Name
    title: str
    when: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    use: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class EscalateWhen(BaseModel):
    """A finding that only people can deal with, and what to tell them.

    `without_remedy`: people are needed only where no remedy is left to try: an outage that one would end is not
    prolonged by waiting for them.
    """

    model_config = FROZEN

    finding: str
    say: str
    without_remedy: bool = False


class Runbook(BaseModel):
    """The six parts that people read, then what the machine does."""

    model_config = FROZEN

    id: str = Name
    title: str
    severity: Severity
    matches: Matches
    symptoms: tuple[str, ...] = Prose
    immediate_actions: tuple[str, ...] = Prose
    diagnosis: tuple[str, ...] = Prose
    resolution: tuple[str, ...] = Prose
    escalation: tuple[str, ...] = Prose
    prevention: tuple[str, ...] = Prose
    checks: tuple[CheckStep, ...] = Field(min_length=1)
    remedies: tuple[Remedy, ...] = ()
    escalate_when: tuple[EscalateWhen, ...] = ()


class Shelf:
    """Runbooks by what they are for: choosing takes as long among thousands as among two."""

    def __init__(self, runbooks: Iterable[Runbook]) -> None:
        self._found: dict[tuple[ResourceType, Symptom], Runbook] = {}
        for runbook in runbooks:
            for resource_type in runbook.matches.resource_types:
                for symptom in runbook.matches.symptoms:
                    self._found.setdefault((resource_type, symptom), runbook)

    def find(self, resource_type: ResourceType, symptom: Symptom) -> Runbook | None:
        """The first runbook in the given order that suits this symptom of this kind of resource."""
        return self._found.get((resource_type, symptom))


def parse_runbook(file: str, text: Mapping[str, Any]) -> Runbook:
    """A runbook from its YAML mapping.

    Raises ManifestError naming the file, the field and the rule.
    """
    try:
        return Runbook.model_validate(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ManifestError(file, ".".join(str(p) for p in first["loc"]), first["msg"]) from None


class Stuck(StrEnum):
    """Why no remedy was chosen; a closed list."""

    PEOPLE_NEEDED = "people-needed"
    NOT_KNOWN_ENOUGH = "not-known-enough"
    NOTHING_APPLIES = "nothing-applies"
    NONE_LEFT = "none-left"


class Choice(BaseModel):
    """A remedy to try, or why there is none."""

    model_config = FROZEN

    remedy: Remedy | None = None
    stuck: Stuck | None = None
    say: str = ""


def choose_remedy(runbook: Runbook, findings: Mapping[str, bool | None], tried: Collection[str]) -> Choice:
    """The first remedy in the runbook's order that fits what was found and was not tried yet.

    A finding is true, false or unknown (None, or missing). Unknown never satisfies a condition.
    """
    urgent = [rule for rule in runbook.escalate_when if findings.get(rule.finding)]
    for rule in urgent:
        if not rule.without_remedy:
            return Choice(stuck=Stuck.PEOPLE_NEEDED, say=rule.say)
    open_ = [r for r in runbook.remedies if r.id not in tried]
    for remedy in open_:
        if _fits(remedy, findings):
            return Choice(remedy=remedy)
    for rule in urgent:
        return Choice(stuck=Stuck.PEOPLE_NEEDED, say=rule.say)
    unknown = sorted({f for r in open_ for f in _unknown(r, findings)})
    if unknown:
        return Choice(stuck=Stuck.NOT_KNOWN_ENOUGH, say=f"could not find out: {', '.join(unknown)}")
    if tried:
        return Choice(stuck=Stuck.NONE_LEFT, say=f"tried without success: {', '.join(sorted(tried))}")
    return Choice(stuck=Stuck.NOTHING_APPLIES, say="no remedy of the runbook fits what was found")


def _fits(remedy: Remedy, findings: Mapping[str, bool | None]) -> bool:
    return all(findings.get(f) is True for f in remedy.when) and all(
        findings.get(f) is False for f in remedy.unless
    )


def _unknown(remedy: Remedy, findings: Mapping[str, bool | None]) -> Sequence[str]:
    """The findings that stand between this remedy and a decision, where no known finding rules it out."""
    ruled_out = any(findings.get(f) is False for f in remedy.when) or any(
        findings.get(f) is True for f in remedy.unless
    )
    return [] if ruled_out else [f for f in (*remedy.when, *remedy.unless) if findings.get(f) is None]
