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
from selfright.domain.serving import AliasState
from selfright.usecases.unstick_aliases import unstick_aliases
from selfright.usecases.unstick_stack import unstick_stack
from tests.unit.usecases.release_world import CHECKOUT, PACKING, TEMPLATE, ReleaseWorld

SHOP = ("--workload", "shop", "--environment", "development")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ReleaseWorld:
    world = ReleaseWorld()
    monkeypatch.setattr(deploy, "_ledger", lambda _aws, _stack: world.ledger)
    monkeypatch.setattr(deploy, "stack_outputs", lambda _aws, _stack, *keys: list(keys))
    monkeypatch.setattr(deploy, "_runs", lambda *_: False)
    monkeypatch.setattr("selfright.adapters.functions.LambdaFunctions", lambda _aws: world.awslambda)
    monkeypatch.setattr("selfright.adapters.versions.LambdaVersions", lambda _aws: world.awslambda)

    monkeypatch.setattr(deploy, "LOOK_EVERY", 0.0)

    def begins(_aws: Any, _stack: str, release_id: str, reason: str, to: str | None = None) -> str:
        return json.dumps({"release_id": release_id, "reason": reason, "actor": "grace", "to": to or "none"})

    def plays(_aws: Any, execution: str) -> bool:
        """It is under way at the first look, and over at the second."""
        if execution in played:
            return False
        played.add(execution)
        world.play("roll_back", **json.loads(execution))
        return True

    played: set[str] = set()
    monkeypatch.setattr(deploy, "_start_roll_back", begins)
    monkeypatch.setattr(deploy, "_running", plays)
    monkeypatch.setattr(
        deploy, "_go_on", lambda *given: unstick_stack(world.workload, given[-1], stacks=world.cloudformation)
    )
    return world


def put_right(world: ReleaseWorld) -> list[str]:
    return [line.text.partition(": ")[2] for line in world.ledger.mendings("shop", "development", 9)]


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


def test_an_earlier_release_is_gone_back_to_by_its_name(world: ReleaseWorld):
    world.deploy(release_id="shop-41")
    for function in world.awslambda.functions.values():
        function.latest = function.latest.model_copy(update={"code_sha256": "newer"})
    world.deploy()

    result = run("roll-back", "--to", "shop-41", "--reason", "too slow", "--follow")

    assert result.exit_code == 0, result.output
    assert "release shop-42 goes back to what shop-41 left live" in result.stdout
    assert set(world.awslambda.versions_live().values()) == {"2"}
    # ... and a way that is none is told before anything is started
    assert "is what is live" in str(run("roll-back", "--to", "shop-41", "--reason", "again").exception)


@pytest.mark.parametrize("which", [(), ("shop-42", "--to", "shop-41")])
def test_one_release_is_named(world: ReleaseWorld, which: tuple[str, ...]):
    assert isinstance(run("roll-back", *which, "--reason", "too slow").exception, BadInputError)


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
        state_machines=world.state_machines,
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
    assert put_right(world) == ["CodeDeploy was here: checkout: all requests go to version 2 now"]
    assert "nothing of shop in development is half-way" in run("unstick", "--reason", "again", *SHOP).stdout


def test_so_are_those_of_a_state_machine(world: ReleaseWorld):
    world.machines.aliases[PACKING] = AliasState(version="1", weights={"2": 0.1}, revision="r7")

    assert unstuck(world) == {"packing": "1"}
    assert world.machines.changes == [(PACKING, "1", {})]


def test_weights_of_a_release_on_its_way_stay(world: ReleaseWorld):
    half_way(world)

    with pytest.raises(ConflictError):
        unstuck(world)

    assert world.awslambda.weights_left() == 3


def test_a_stuck_stack_goes_on_without_what_a_person_gives_up_on(world: ReleaseWorld):
    stack = world.cloudformation
    stack.status, stack.wedged = "UPDATE_ROLLBACK_FAILED", {"Late"}

    told = run("unstick", "--reason", "the alarm is gone", "--skip", "Late", *SHOP)

    assert (told.exit_code, told.exception) == (0, None)
    assert "shop-development goes on rolling back without Late" in told.stdout
    assert stack.done == ["continued, skipping Late"]
    assert put_right(world) == ["the alarm is gone: shop-development goes on rolling back without Late"]
    assert "the alarm is gone" in run("status", *SHOP).stdout


def test_and_the_release_that_left_it_so_is_put_back(world: ReleaseWorld):
    world.cloudformation.broken, world.cloudformation.wedged = {"Letters"}, {"Late"}
    text = {**TEMPLATE, "Resources": {**TEMPLATE["Resources"], "Letters": {"Type": "AWS::SQS::Queue"}}}
    world.template_files.uploaded["42.json"] = json.dumps(text)
    given = {"bucket": "shop-artifacts", "key": "42.json", "sha256": "0" * 64}
    assert world.deploy(template=given).release.status is ReleaseStatus.ROLLBACK_FAILED

    run("unstick", "--reason", "the alarm is gone", "--skip", "Late", *SHOP)

    assert world.ledger.release("shop-42").status is ReleaseStatus.ROLLED_BACK
    assert "shop-42 is rolled back" in put_right(world)[0]


def test_nothing_is_skipped_of_a_stack_that_is_not_stuck(world: ReleaseWorld):
    told = run("unstick", "--reason", "in a hurry", "--skip", "Late", *SHOP)

    assert isinstance(told.exception, RefusedError)
    assert "shop-development is not UPDATE_ROLLBACK_FAILED" in str(told.exception)
    assert world.cloudformation.done == []


def test_what_this_does_not_help_is_said(world: ReleaseWorld):
    world.cloudformation.status = "ROLLBACK_COMPLETE"

    told = run("unstick", "--reason", "it is stuck", *SHOP)

    assert "delete it and make it anew" in str(told.exception)
    assert put_right(world) == ["it is stuck: begins"]


def test_a_release_with_configuration_can_be_followed(world: ReleaseWorld):
    world.deploy(configurations={"limits": world.bucket.put("limits.json", b"{}")})

    told = run("status", "shop-42")

    assert told.exit_code == 0
    assert "live: limits 1 → 2" in told.stdout
