from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.processes import fingerprint, group_members

NO_SUCH_PID = 2**22 + 1  # above the highest pid_max that Linux allows


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_process_keeps_its_fingerprint_and_shares_it_with_nobody(sleeper: subprocess.Popen[bytes]):
    assert fingerprint(sleeper.pid) == fingerprint(sleeper.pid) is not None
    assert fingerprint(sleeper.pid) != fingerprint(os.getpid())


def test_what_does_not_run_has_no_fingerprint():
    assert fingerprint(NO_SUCH_PID) is None


def test_a_zombie_does_not_run(sleeper: subprocess.Popen[bytes]):
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # ended, but nobody has reaped it yet

    assert fingerprint(sleeper.pid) is None
    assert group_members(sleeper.pid) == []


def test_a_group_lists_its_members(sleeper: subprocess.Popen[bytes]):
    assert group_members(sleeper.pid) == [sleeper.pid]


class TestWithoutProc:
    """macOS has no /proc; `ps` there prints the same columns."""

    @pytest.fixture(autouse=True)
    def _no_proc(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(processes, "BOOT_ID", tmp_path / "absent")

    def rows(self, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
        monkeypatch.setattr(processes, "_ps", lambda *_: [line.split() for line in lines])

    def test_the_start_date_is_the_fingerprint(self, monkeypatch: pytest.MonkeyPatch):
        self.rows(monkeypatch, "Ss   Mon Nov 23 13:21:10 2026")
        assert fingerprint(4711) == "Mon Nov 23 13:21:10 2026"

    def test_a_zombie_does_not_run(self, monkeypatch: pytest.MonkeyPatch):
        self.rows(monkeypatch, "Z    Mon Nov 23 13:21:10 2026")
        assert fingerprint(4711) is None

    def test_what_ps_does_not_know_does_not_run(self, monkeypatch: pytest.MonkeyPatch):
        self.rows(monkeypatch)
        assert fingerprint(4711) is None

    def test_a_group_lists_its_running_members(self, monkeypatch: pytest.MonkeyPatch):
        self.rows(monkeypatch, "  1     1 Ss", "4711 4711 S", "4712 4711 R+", "4713 4711 Z")
        assert group_members(4711) == [4711, 4712]
