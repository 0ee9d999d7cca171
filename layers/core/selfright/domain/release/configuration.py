"""Configuration as a part of a release: AppConfig versions, which are live for every version of the code at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

FROZEN = ConfigDict(defer_build=True, frozen=True, extra="forbid")

# Bytes of one version in AppConfig's hosted store: https://docs.aws.amazon.com/general/latest/gr/appconfig.html
LARGEST = 2 * 2**20
# https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-type-reference-feature-flags.html
FLAGS_FORMAT, VARIANTS = "1", "_variants"


class ProfileKind(StrEnum):
    """What AppConfig calls a configuration profile's type."""

    FREEFORM = "AWS.Freeform"
    FLAGS = "AWS.AppConfig.FeatureFlags"


class ConfigurationPlace(BaseModel):
    """Where a configuration stands, by AppConfig's ids; `name` is the profile's, by which deployments are listed."""

    model_config = FROZEN

    application: str
    environment: str
    profile: str
    name: str
    kind: ProfileKind = ProfileKind.FREEFORM


class Rollout(BaseModel):
    """An AppConfig deployment that is not over. `configuration`: the name of its profile."""

    model_config = FROZEN

    number: int
    configuration: str
    version: str


class ConfigurationState(BaseModel):
    """What an environment has of a configuration.

    `live`: the version that its users get; None before the first. `under_way`: of any configuration, as an environment
    takes one deployment at a time. `newest`: the number of the environment's newest deployment, 0 before the first.
    `taken_back`: versions whose newest deployment AppConfig, or somebody, did not let stand.
    """

    model_config = FROZEN

    live: str | None = None
    under_way: Rollout | None = None
    newest: int = 0
    taken_back: frozenset[str] = frozenset()

    def changing(self, place: ConfigurationPlace) -> str | None:
        """The version of this very configuration that is on its way, in either direction."""
        other = self.under_way
        return other.version if other and other.configuration == place.name else None

    def is_at(self, place: ConfigurationPlace, version: str | None) -> bool:
        """Whether a version is live, and none is on its way."""
        return self.live == version and self.changing(place) is None


class ConfigurationRelease(BaseModel):
    """One configuration of a release. `candidate`: the version made for it; None before that.

    `fence`: the environment's newest deployment when it began to be put back. `put_back`: the earlier version is live
    again, by a deployment that is newer than that.
    """

    model_config = FROZEN

    key: str
    place: ConfigurationPlace
    before: str
    candidate: str | None = None
    started_at: AwareDatetime | None = None
    fence: int | None = None
    put_back: bool = False

    def is_ours(self, version: str | None) -> bool:
        """Whether a version is one that this release has to do with."""
        return version in {self.before, self.candidate}


def against(content: bytes, kind: ProfileKind) -> str | None:
    """What speaks against releasing this document; None where nothing does."""
    try:
        document = json.loads(content)
    except ValueError as error:
        return f"is not JSON: {error}"
    if not isinstance(document, Mapping):
        return "is not a JSON object"
    return _against_flags(document) if kind is ProfileKind.FLAGS else None


def _against_flags(document: Mapping[str, object]) -> str | None:
    """Against a document of feature flags; AppConfig itself looks more closely when it takes the version."""
    if document.get("version") != FLAGS_FORMAT:
        return f'must have "version": "{FLAGS_FORMAT}", as feature flags have'
    flags, values = document.get("flags"), document.get("values")
    if not isinstance(flags, Mapping) or not isinstance(values, Mapping):
        return "must have objects `flags` and `values`, as feature flags have"
    if unknown := sorted(values.keys() - flags.keys()):
        return f"has values of flags that it does not define: {', '.join(unknown)}"
    for name, value in values.items():
        variants = value.get(VARIANTS, [value]) if isinstance(value, Mapping) else [None]
        if not isinstance(variants, list) or not all(_is_flag(variant) for variant in variants):
            return f"values.{name} must be an object with `enabled`, true or false, or have such {VARIANTS}"
    return None


def _is_flag(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("enabled"), bool)
