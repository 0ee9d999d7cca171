"""The function dies after the change was made and before it could say so: the change is made once, and proven."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from collections.abc import Iterator

import pytest

from selfright.domain.incident import AttemptStatus, EntryKind, IncidentStatus
from tests.sandbox.journeys.world import SURGE_BESIDE_USERS, World

# What the function is deployed with for this journey: its process ends as soon as a table has been changed.
DYING = """
import os
from botocore.client import BaseClient

_call = BaseClient._make_api_call

def _call_and_die(client, operation, parameters):
    answer = _call(client, operation, parameters)
    if operation == "UpdateTable":
        os._exit(1)
    return answer

BaseClient._make_api_call = _call_and_die
"""


@pytest.fixture
def dying_function(world: World) -> Iterator[None]:
    functions, name = world.client("lambda"), world.physical_name("ApplyAction")
    with urllib.request.urlopen(functions.get_function(FunctionName=name)["Code"]["Location"]) as answer:  # noqa: S310 - this machine's own emulator
        before: bytes = answer.read()

    def deploy(code: bytes) -> None:
        functions.update_function_code(FunctionName=name, ZipFile=code)
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for entry, content in files.items():
            archive.writestr(entry, DYING.encode() + content if entry == "app.py" else content)
    deploy(changed.getvalue())
    yield
    deploy(before)


@pytest.mark.usefixtures("users", "dying_function")
def test_a_change_whose_function_died_is_made_once_and_proven(world: World):
    incident = world.alarm_goes_off(SURGE_BESIDE_USERS)
    case = world.closed(incident.id)

    assert case.incident.status is IncidentStatus.RESOLVED
    (attempt,) = case.attempts
    assert attempt.status is AttemptStatus.VERIFIED
    assert attempt.plan is not None
    assert world.table()["write"] == attempt.plan.after["write_units"]
    # A second change would have ended a second function; what is repeated waits until the table is ACTIVE.
    errors = world.errors_of_tasks(incident.id)
    assert errors.count("Runtime.ExitError") == 1
    assert set(errors) <= {"Runtime.ExitError", "BusyError"}
    assert [e.kind for e in case.timeline].count(EntryKind.ACTION_APPLIED) == 1
