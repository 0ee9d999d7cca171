"""Whoever ends the demo by `kill`, a closed terminal or a CI system's time limit finds nothing left of it."""

from __future__ import annotations

import signal

from sandbox.processes import group_members
from tests.sandbox.journeys.demo import running


def test_a_demo_that_is_terminated_takes_its_sandbox_down():
    with running("demo") as demo:
        demo.process.terminate()
        over = demo.over()

    assert (over.code, over.printed) == (128 + signal.SIGTERM, ""), over.told
    assert group_members(demo.server.pid) == []
    assert not demo.server.answers()
    assert not demo.server.folder.parent.exists()
