from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.workload.functions.opportunity_analysis import settings
from sandbox.workload.functions.opportunity_analysis.errors import ConfigurationError
from sandbox.workload.functions.opportunity_analysis.settings import Settings

from .conftest import SETTINGS, FakeAws


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
        Settings.parse(json.dumps({**SETTINGS, name: value}))


@pytest.mark.parametrize("text", ["{", "[]"])
def test_what_is_not_an_object_is_refused(text: str):
    with pytest.raises(ConfigurationError, match="settings:"):
        Settings.parse(text)


def test_settings_are_kept_for_their_time_and_then_read_again(fake: FakeAws, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "30")
    clock = iter([100.0, 129.9, 130.0])
    monkeypatch.setattr(settings.time, "monotonic", lambda: next(clock))

    first = settings.current()
    fake.settings["caching"] = True

    assert (first.caching, settings.current().caching, settings.current().caching) == (False, False, True)
