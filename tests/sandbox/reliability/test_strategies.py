"""Every strategy takes a good release out, and no user notices.

The functions have as many requests as CloudWatch is told of, thousands an hour, so that a hundredth of them is enough
for a gate; those of a few users are really sent meanwhile, and counted.
"""

from __future__ import annotations

from typing import Any

import pytest

from reliability.__main__ import Stage
from reliability.release_world import STEP
from sandbox.traffic import Traffic
from selfright.domain.release import Milestone, ReleaseStatus

USERS_RATE = 0.1  # analyses a sandbox second: twelve a second of the wall


@pytest.mark.parametrize(
    ("strategy", "shares"),
    [
        ({"type": "all-at-once"}, [100]),
        ({"type": "canary", "percent": 10, "for_seconds": STEP}, [10, 100]),
        ({"type": "linear", "percent": 40, "every_seconds": STEP}, [40, 80, 100]),
        (
            {"type": "custom", "percents": [1, 5, 25, 50, 100], "every_seconds": STEP},
            [1, 5, 25, 50, 100],
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_good_release_goes_out_and_nobody_notices(
    staged: Stage, strategy: dict[str, Any], shares: list[float]
):
    world = staged.releases
    world.put_back()
    before, name = world.live(), f"strategy-{strategy['type']}"
    with Traffic(world.world.server, world.functions["orchestrator"], USERS_RATE) as users:
        world.until("users are served", lambda: users.counts().ok > 5)
        world.ask(name, failing=False, strategy=strategy)
        world.until("it is over", lambda: (file := world.file(name)) is not None and file.release.over)
        seen = users.counts()

    file = world.ledger.file(name)
    assert file.release.status is ReleaseStatus.COMPLETED, file.release.why
    shifted = [line.detail["percent"] for line in file.log if line.milestone is Milestone.SHIFTED]
    judged = [line.detail["verdict"] for line in file.log if line.milestone is Milestone.JUDGED]
    assert (shifted, judged) == (shares, ["PASS"] * len(shares))
    assert world.live() == {f.key: f.candidate for f in file.release.functions}
    assert all(world.live()[key] != version for key, version in before.items())
    assert world.weights() == 0
    assert (seen.failed, seen.total > 20) == (0, True), seen.errors
