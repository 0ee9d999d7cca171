"""Whether a release may begin: every question that is asked before anything is changed, each with its answer.

A fact that cannot be read is no answer: reading it raises SourceDownError, and the release does not begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from selfright.domain.manifest import Workload
from selfright.domain.release.configuration import ConfigurationPlace, ConfigurationState
from selfright.domain.release.record import TAKEN_BACK, Release, StopReason
from selfright.domain.serving import AliasState

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

# What a person may overrule by breaking the glass; everything else would break the release itself.
OVERRULED = {
    StopReason.CHANGE_FREEZE,
    StopReason.OUTSIDE_WINDOW,
    StopReason.ALARM_RED,
    StopReason.BACKUPS_STALE,
    StopReason.UNHEALTHY,
}


class Build(BaseModel):
    """One version of a function, or $LATEST, as far as an alias cares. `busy`: an update of it is under way."""

    model_config = FROZEN

    version: str
    code_sha256: str  # base64, as Lambda tells it
    role: str
    dead_letters: str | None = None
    settings: frozenset[str] = frozenset()  # names of its environment variables
    busy: bool = False


class WentBack(BaseModel):
    """What a release brought of a function, and was taken back with. `code_sha256` is None where nobody noted it."""

    model_config = FROZEN

    release_id: str
    version: str
    code_sha256: str | None


def went_back(releases: Sequence[Release], key: str) -> tuple[WentBack, ...]:
    """What was taken back of that function, and did not go live since; `releases` newest first."""
    fates: dict[str, WentBack | None] = {}
    for release in releases:
        for function in release.changing:
            if function.key != key or not release.begun:
                continue
            bad = release.status in TAKEN_BACK
            one = WentBack(
                release_id=release.id, version=str(function.candidate), code_sha256=function.code_sha256
            )
            fates.setdefault(one.version, one if bad else None)  # its newest fate is the one that counts
    return tuple(one for one in fates.values() if one)


class FunctionFacts(BaseModel):
    """A function of the set as it is now. `provisioned`: its alias has provisioned concurrency."""

    model_config = FROZEN

    alias: AliasState
    live: Build
    latest: Build
    provisioned: bool = False
    went_back: tuple[WentBack, ...] = ()


class ConfigurationFacts(BaseModel):
    """A configuration that is asked for, as its environment has it now. `problem`: what speaks against the new one."""

    model_config = FROZEN

    place: ConfigurationPlace
    state: ConfigurationState
    problem: str | None = None


class WorkflowFacts(BaseModel):
    """A state machine whose definition is asked for, as it is now. `problem`: what speaks against the new one."""

    model_config = FROZEN

    alias: AliasState
    problem: str | None = None


class AdmissionFacts(BaseModel):
    """Everything that is looked at. `red`: alarms that are on; `under_way`: another release that is not over.

    `restorable`: the newest moment to which each backed-up table could be restored, by logical name; None where
    there is none. Empty where the manifest does not ask.
    """

    model_config = FROZEN

    now: datetime
    kill_switch: bool
    red: tuple[str, ...] = ()
    unhealthy: Mapping[str, str] = {}  # by question, what came of it
    under_way: str | None = None
    functions: Mapping[str, FunctionFacts] = {}  # by logical name
    restorable: Mapping[str, datetime | None] = {}
    configurations: Mapping[str, ConfigurationFacts] = {}
    workflows: Mapping[str, WorkflowFacts] = {}


class Objection(BaseModel):
    """Why not. `overruled`: a person broke the glass."""

    model_config = FROZEN

    reason: StopReason
    text: str
    overruled: bool = False


def objections(release: Release, workload: Workload, facts: AdmissionFacts) -> tuple[Objection, ...]:
    """Every objection to this release; it may begin where all that are left are overruled."""
    glass = release.request.break_glass
    return tuple(
        Objection(reason=reason, text=text, overruled=glass is not None and reason in OVERRULED)
        for reason, text in (
            *_of_people(release, workload, facts),
            *_of_backups(workload, facts),
            *_of_functions(release, workload, facts),
            *_of_configurations(facts),
            *_of_workflows(facts),
        )
    )


def _of_people(
    release: Release, workload: Workload, facts: AdmissionFacts
) -> Iterator[tuple[StopReason, str]]:
    request, deployment = release.request, workload.deployment
    if facts.under_way:
        yield StopReason.ANOTHER_UNDER_WAY, f"release {facts.under_way} is not over"
    if facts.kill_switch:
        yield StopReason.SWITCHED_OFF, "the kill switch is on"
    freeze = next((f for f in workload.windows.freezes if f.from_ <= facts.now < f.to), None)
    if freeze:
        yield StopReason.CHANGE_FREEZE, f"{freeze.name}, until {freeze.to:%Y-%m-%d %H:%M %Z}"
    if deployment.windows and not any(w.end_if_open(facts.now) for w in deployment.windows):
        names = ", ".join(window.name for window in deployment.windows)
        yield StopReason.OUTSIDE_WINDOW, f"releases go out in {names} only"
    if deployment.approval_required and request.approver in {None, request.requested_by}:
        yield StopReason.APPROVAL_MISSING, "must name an approver other than the one who asks for it"
    if facts.red:
        yield StopReason.ALARM_RED, f"on already: {', '.join(facts.red)}"
    if facts.unhealthy:
        yield StopReason.UNHEALTHY, "; ".join(f"{name}: {why}" for name, why in facts.unhealthy.items())


def _of_backups(workload: Workload, facts: AdmissionFacts) -> Iterator[tuple[StopReason, str]]:
    for key, newest in facts.restorable.items():
        allowed = timedelta(seconds=workload.deployment.backups_within_seconds or 0)
        if newest is None:
            yield StopReason.BACKUPS_STALE, f"{key} could not be restored to any moment"
        elif facts.now - newest > allowed:
            text = f"{key} could be restored to {newest:%Y-%m-%d %H:%M:%S %Z} at best"
            yield StopReason.BACKUPS_STALE, text


def _of_functions(
    release: Release, workload: Workload, facts: AdmissionFacts
) -> Iterator[tuple[StopReason, str]]:
    split = not release.rungs[0].whole
    for key, one in facts.functions.items():
        if one.alias.weights:
            yield StopReason.WEIGHTS_LEFT, _between_versions(key, one.alias)
        # After a roll-back $LATEST still holds what was taken back: nobody asked for that by name.
        code = one.latest.code_sha256
        bad = next((bad.release_id for bad in one.went_back if bad.code_sha256 == code), None)
        if bad and code != one.live.code_sha256 and not release.request.artifacts:
            yield (
                StopReason.WENT_BACK,
                f"{key}: $LATEST holds the code of {bad}, which went back; name the artifact that is meant",
            )
        if one.latest.busy:
            yield StopReason.FUNCTION_BUSY, f"{key} is being updated"
        # Lambda takes no weights there, and sets its own until the new version's is allocated (decisions/0014).
        if one.provisioned:
            yield (
                StopReason.PROVISIONED_CONCURRENCY,
                f"{key}: its alias has provisioned concurrency; only versions of a released function may",
            )
        # Lambda splits requests only between versions that share both:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
        if split and one.latest.role != one.live.role:
            yield StopReason.ROLE_DIFFERS, f"{key}: {one.live.role} is live, {one.latest.role} would come"
        if split and one.latest.dead_letters != one.live.dead_letters:
            yield (
                StopReason.DEAD_LETTERS_DIFFER,
                (
                    f"{key}: {one.live.dead_letters or 'none'} is live, {one.latest.dead_letters or 'none'} would come"
                ),
            )
        if missing := sorted(set(workload.deployment.required_settings) - one.latest.settings):
            yield StopReason.SETTINGS_MISSING, f"{key} lacks {', '.join(missing)}"


def _of_configurations(facts: AdmissionFacts) -> Iterator[tuple[StopReason, str]]:
    for key, one in facts.configurations.items():
        if one.problem:
            yield StopReason.CONFIGURATION_INVALID, f"{key}: {one.problem}"
        if one.state.live is None:
            yield StopReason.CONFIGURATION_INVALID, f"{key}: no version is live to go back to"
        if (other := one.state.under_way) is not None:
            text = f"{key}: version {other.version} of {other.configuration} is being deployed"
            yield StopReason.CONFIGURATION_BUSY, text


def _of_workflows(facts: AdmissionFacts) -> Iterator[tuple[StopReason, str]]:
    for key, one in facts.workflows.items():
        if one.alias.weights:
            yield StopReason.WEIGHTS_LEFT, _between_versions(key, one.alias)
        if one.problem:
            yield StopReason.DEFINITION_INVALID, f"{key}: {one.problem}"


def _between_versions(key: str, alias: AliasState) -> str:
    shares = ", ".join(f"version {v} {w:.0%}" for v, w in alias.weights.items())
    return f"{key} is between versions ({shares}); see `selfright deploy unstick`"
