"""The pool of execution environments, with stand-ins for the processes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import pytest

from sandbox.emulator.lambda_environment import ExecutionEnvironment
from sandbox.emulator.lambda_pool import WARM_PER_SLOT, Key, Pool


class StandIn:
    def __init__(self) -> None:
        self.usable = True
        self.closed = False

    def close(self) -> None:
        self.usable, self.closed = False, True


def start() -> ExecutionEnvironment:
    return cast("ExecutionEnvironment", StandIn())


def key(function: str, version: str = "1", fingerprint: str = "a") -> Key:
    return Key(function, version, fingerprint)


def run(pool: Pool, of: Key) -> StandIn:
    with pool.lease(of, 1, start) as environment:
        return cast("StandIn", environment)


def test_a_warm_environment_is_used_again_only_for_the_same_code_and_settings():
    pool = Pool(workers=2)

    first = run(pool, key("f"))

    assert run(pool, key("f")) is first
    assert run(pool, key("f", fingerprint="changed")) is not first
    assert run(pool, key("f", version="2")) is not first


def test_concurrent_invocations_get_environments_of_their_own():
    pool = Pool(workers=2)

    with pool.lease(key("f"), 1, start) as one, pool.lease(key("f"), 1, start) as two:
        assert one is not two


def test_beyond_the_warm_limit_the_one_idle_for_longest_goes():
    pool = Pool(workers=1)
    environments = [run(pool, key(f"f{number}")) for number in range(WARM_PER_SLOT)]
    run(pool, key("f0"))  # which makes f1 the one idle for longest

    run(pool, key("one-more"))

    assert [environment.closed for environment in environments] == [False, True, False]


def test_a_broken_environment_is_closed_and_never_lent_again():
    pool = Pool(workers=1)

    with pool.lease(key("f"), 1, start) as environment:
        broken = cast("StandIn", environment)
        broken.usable = False

    assert broken.closed
    assert run(pool, key("f")) is not broken


def test_an_environment_that_died_while_idle_is_not_lent():
    pool = Pool(workers=1)
    dead = run(pool, key("f"))

    dead.usable = False

    assert run(pool, key("f")) is not dead
    assert dead.closed


def test_retiring_a_function_ends_idle_environments_and_lets_busy_ones_finish():
    pool = Pool(workers=2)
    idle, other = run(pool, key("f", "1")), run(pool, key("g"))
    with pool.lease(key("f", "2"), 1, start) as environment:
        pool.retire("f", None)
        busy = cast("StandIn", environment)
        assert not busy.closed

    assert (idle.closed, other.closed) == (True, False)


def test_a_slot_is_given_back_where_an_environment_cannot_be_started():
    pool = Pool(workers=1)

    def fail() -> Any:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"), pool.lease(key("f"), 1, fail):
        pass

    assert run(pool, key("f")).usable


def test_nested_calls_have_slots_of_their_own():
    pool = Pool(workers=1)

    with ExitStack() as chain:
        held = [chain.enter_context(pool.lease(key("f"), depth, start)) for depth in (1, 2, 3)]
        assert len(set(map(id, held))) == 3


def test_no_worker_at_all_is_refused():
    with pytest.raises(ValueError, match="must be at least 1, not 0"):
        Pool(workers=0)
