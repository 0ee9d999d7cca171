"""A room's environment: read once, typed, and the variable named where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Environment
from selfright.edge.settings import PREFIX, Settings
from tests.unit.template import resources, template


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    given(monkeypatch, ENVIRONMENT="staging", CONTENT="/opt/python/selfright_content", TABLE="ledger")

    settings = Settings.from_environment()

    assert (settings.environment, settings.content) == (
        Environment.STAGING,
        Path("/opt/python/selfright_content"),
    )
    assert (settings.need("table"), settings.respond_arn) == ("ledger", "")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"CONTENT": "content"}, "SELFRIGHT_ENVIRONMENT"),
        ({"ENVIRONMENT": "staging"}, "SELFRIGHT_CONTENT"),
        ({"ENVIRONMENT": "prod", "CONTENT": "content"}, "SELFRIGHT_ENVIRONMENT"),
    ],
)
def test_a_variable_that_is_missing_or_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
):
    given(monkeypatch, **variables)

    with pytest.raises(BadInputError) as caught:
        Settings.from_environment()

    assert caught.value.field == named


def test_using_what_was_not_given_is_an_error(monkeypatch: pytest.MonkeyPatch):
    given(monkeypatch, ENVIRONMENT="staging", CONTENT="content")

    with pytest.raises(BadInputError, match="SELFRIGHT_RESPOND_ARN: must be set"):
        Settings.from_environment().need("respond_arn")


def test_the_template_gives_every_variable_and_none_that_nobody_reads():
    variables = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    for function in resources("AWS::Serverless::Function").values():
        variables |= set(function.get("Environment", {}).get("Variables", {}))

    ours = {name for name in variables if name.startswith(PREFIX)}
    assert ours == {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
