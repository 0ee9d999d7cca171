"""Whoever ends the demo by `kill`, a closed terminal or a CI system's time limit finds nothing left of it."""

from __future__ import annotations

import signal

from sandbox.processes import group_members
from tests.sandbox.journeys.demo import Demo


def test_a_demo_that_is_terminated_takes_its_sandbox_down():
    demo = Demo.start()
    try:
        demo.process.terminate()
        code, printed, told = demo.finish()
    finally:
        demo.stop()

    assert (code, printed) == (128 + signal.SIGTERM, ""), told
    assert group_members(demo.server.pid) == []
    assert not demo.server.answers()
    assert not demo.server.folder.parent.exists()
