"""By which state machine the local IAM is asked about its versions and aliases."""

from __future__ import annotations

import json

import pytest

from sandbox.emulator.iam_states import named

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:packing"


@pytest.mark.parametrize(
    "asked",
    [
        {"stateMachineArn": MACHINE},
        {"stateMachineArn": f"{MACHINE}:live"},
        {"stateMachineAliasArn": f"{MACHINE}:live"},
        {"stateMachineVersionArn": f"{MACHINE}:7"},
    ],
)
def test_a_version_or_an_alias_is_asked_about_as_its_state_machine(asked: dict[str, str]):
    assert named(json.dumps(asked).encode()) == MACHINE


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"executionArn": "arn:..."}'])
def test_anything_else_names_none(body: bytes):
    assert named(body) is None
