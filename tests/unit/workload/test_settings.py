from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.workload.functions.opportunity_analysis import settings
from sandbox.workload.functions.opportunity_analysis.errors import ConfigurationError
from sandbox.workload.functions.opportunity_analysis.flags import Flags
from sandbox.workload.functions.opportunity_analysis.settings import Settings

from .conftest import SETTINGS, FakeAws, refusal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cache_ttl_seconds", "1h"),
        ("cache_ttl_seconds", True),
        ("max_output_tokens", 0),
        ("model_attempts", 11),
        ("caching", "false"),
        ("analysis_model", ""),
        ("fallback_model", None),
    ],
)
def test_an_invalid_setting_is_named(name: str, value: Any):
    with pytest.raises(ConfigurationError, match=rf"settings\.{name}: must be"):
        Settings.parse(json.dumps({**SETTINGS, name: value}), Flags(), {})


@pytest.mark.parametrize("text", ["{", "[]"])
def test_what_is_not_an_object_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="settings:"):
        Settings.parse(text, Flags(), {})


def test_settings_are_kept_for_their_time_and_then_read_again(fake: FakeAws, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "30")
    clock = iter([100.0, 129.9, 130.0])
    monkeypatch.setattr(settings.time, "monotonic", lambda: next(clock))

    first = settings.current()
    fake.settings["caching"] = True

    assert (first.caching, settings.current().caching, settings.current().caching) == (False, False, True)


def test_a_thrown_flag_counts_with_the_next_reading(fake: FakeAws):
    before = settings.current().use_fallback_model
    fake.flags = {"use_fallback_model": True}

    assert (before, settings.current().use_fallback_model) == (False, True)
    assert settings.current().model("large") == "spare"


@pytest.mark.parametrize("document", [[], {"use_fallback_model": "yes"}])
def test_flags_that_are_not_valid_leave_those_of_before(fake: FakeAws, emitted: Any, document: Any):
    fake.flags = {"use_fallback_model": True}
    settings.current()
    fake.flags = document

    assert settings.current().use_fallback_model is True
    (line,) = emitted()
    assert line["level"] == "WARNING"
    assert line["message"].startswith("flags: ")


def test_flags_that_cannot_be_read_fail_no_user(fake: FakeAws):
    fake.failing["start_configuration_session"] = refusal("AccessDeniedException")

    assert settings.current().use_fallback_model is False


def test_what_is_tuned_takes_a_settings_place(fake: FakeAws):
    fake.tuning = {"max_output_tokens": 400, "use_fallback_model": True}

    assert settings.current().max_output_tokens == 400
    assert settings.current().use_fallback_model is False  # a flag is a flag's business


@pytest.mark.parametrize(
    ("document", "names"), [([], "tuning: must be an object"), ({"model_attempts": "3"}, "model_attempts")]
)
def test_tuning_that_is_not_valid_crashes(fake: FakeAws, document: Any, names: str):
    fake.tuning = document

    with pytest.raises(ConfigurationError, match=names):
        settings.current()


def test_tuning_that_cannot_be_read_stays_as_it_was(fake: FakeAws):
    fake.tuning = {"model_attempts": 1}
    settings.current()
    fake.failing["start_configuration_session"] = refusal("AccessDeniedException")

    assert settings.current().model_attempts == 1
