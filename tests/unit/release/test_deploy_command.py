"""`selfright deploy` over a ledger in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import deploy
from selfright.domain.errors import BadInputError, ConflictError, RefusedError
from selfright.domain.release import ReleaseStatus
from selfright.usecases.unstick_aliases import unstick_aliases
from tests.unit.usecases.release_world import CHECKOUT, ReleaseWorld

SHOP = ("--workload", "shop", "--environment", "development")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ReleaseWorld:
    world = ReleaseWorld()
    monkeypatch.setattr(deploy, "_ledger", lambda _aws, _stack: world.ledger)
    monkeypatch.setattr(deploy, "stack_outputs", lambda _aws, _stack, *keys: list(keys))
    monkeypatch.setattr(deploy, "_runs", lambda *_: False)

    monkeypatch.setattr(deploy, "LOOK_EVERY", 0.0)

    def begins(_aws: Any, _stack: str, release_id: str, reason: str) -> str:
        return json.dumps({"release_id": release_id, "reason": reason, "actor": "grace"})

    def plays(_aws: Any, execution: str) -> bool:
        """It is under way at the first look, and over at the second."""
        if execution in played:
            return False
        played.add(execution)
        world.play("roll_back", **json.loads(execution))
        return True

    played: set[str] = set()
    monkeypatch.setattr(deploy, "_start_roll_back", begins)
    monkeypatch.setattr(deploy, "_under_way", plays)
    return world


def run(*arguments: str) -> Any:
    return CliRunner().invoke(deploy.app, arguments, catch_exceptions=True)


def half_way(world: ReleaseWorld) -> None:
    """The execution dies after the first shift."""
    world.ask()

    def dies(seconds: float) -> None:
        if world.awslambda.weights_left():
            raise KeyboardInterrupt

    world.pass_time = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.play("deploy", release_id="shop-42")


def test_the_log_of_a_release(world: ReleaseWorld):
    world.deploy()

    told = run("status", "shop-42")

    assert told.exit_code == 0
    assert "step 1 of 2: 25 % of the requests go to the new versions" in told.stdout
    assert "completed: cart is at version 2, stock is at version 2, checkout is at version 2" in told.stdout


@pytest.mark.parametrize(("failing", "code"), [(0.0, 0), (0.3, 1)])
def test_following_ends_with_the_release_and_its_exit_code(world: ReleaseWorld, failing: float, code: int):
    world.failing = {CHECKOUT: {"2": failing}}
    world.deploy()

    assert run("status", "shop-42", "--follow").exit_code == code


def test_the_newest_releases_as_json(world: ReleaseWorld):
    world.deploy()

    listed = json.loads(run("status", "--json", *SHOP).stdout)

    assert [(one["request"]["release_id"], one["status"]) for one in listed["releases"]] == [
        ("shop-42", "completed")
    ]


def test_a_request_that_breaks_a_rule_is_refused_before_anything_is_called(
    world: ReleaseWorld, tmp_path: Path
):
    file = tmp_path / "request.json"
    file.write_text('{"release_id": "Shop 42"}')

    result = run("start", str(file))

    assert isinstance(result.exception, BadInputError)
    assert result.exception.field == "release_id"


def test_a_live_release_is_taken_back(world: ReleaseWorld):
    world.deploy()

    told = run("roll-back", "shop-42", "--reason", "too slow", "--follow")

    assert (told.exit_code, "put back: checkout → 1, stock → 1, cart → 1" in told.stdout) == (0, True)
    assert world.ledger.release("shop-42").status is ReleaseStatus.ROLLED_BACK
    assert world.untouched()


def test_what_a_dead_execution_left_is_taken_back(world: ReleaseWorld):
    half_way(world)
    assert world.awslambda.weights_left() == 3

    run("unstick", "--reason", "it died", *SHOP)

    assert world.ledger.release("shop-42").status is ReleaseStatus.ROLLED_BACK
    assert world.untouched()
    assert world.free()


def test_what_still_runs_is_not_unstuck(world: ReleaseWorld, monkeypatch: pytest.MonkeyPatch):
    half_way(world)
    monkeypatch.setattr(deploy, "_runs", lambda *_: True)

    assert isinstance(run("unstick", "--reason", "impatient", *SHOP).exception, RefusedError)
    assert world.awslambda.weights_left() == 3


def unstuck(world: ReleaseWorld, *_: str) -> dict[str, str]:
    return unstick_aliases(
        world.workload,
        "grace",
        functions=world.functions,
        versions=world.versions,
        leases=world.leases,
        clock=world.clock,
    )


def test_weights_that_no_release_left_are_taken_off(world: ReleaseWorld, monkeypatch: pytest.MonkeyPatch):
    world.deploy()
    monkeypatch.setattr(deploy, "_clear_weights", lambda *_: unstuck(world))
    checkout = world.awslambda.functions[CHECKOUT]
    world.awslambda.route(CHECKOUT, "live", "2", {"1": 0.1}, checkout.alias.revision)

    told = run("unstick", "--reason", "CodeDeploy was here", *SHOP)

    assert "checkout: all requests go to version 2 now" in told.stdout
    assert (checkout.alias.version, world.awslambda.weights_left()) == ("2", 0)
    assert world.free()
    assert "nothing of shop in development is half-way" in run("unstick", "--reason", "again", *SHOP).stdout


def test_weights_of_a_release_on_its_way_stay(world: ReleaseWorld):
    half_way(world)

    with pytest.raises(ConflictError):
        unstuck(world)

    assert world.awslambda.weights_left() == 3
