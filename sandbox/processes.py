"""Know a process again after its starter has ended: a pid alone may meanwhile belong to somebody else."""

from __future__ import annotations

import subprocess
from pathlib import Path

PROC = Path("/proc")
BOOT_ID = PROC / "sys" / "kernel" / "random" / "boot_id"


def fingerprint(pid: int) -> str | None:
    """When `pid` began, in words that no other process of that number shares; None where it does not run.

    A zombie does not run: it only waits for its parent to read how it ended.
    """
    if not BOOT_ID.exists():
        return _fingerprint_by_ps(pid)
    if (stat := _stat(pid)) is None or stat[0] in "ZX":
        return None
    start_ticks = stat[19]  # field 22 of proc_pid_stat(5), in clock ticks since boot
    return f"{BOOT_ID.read_text().strip()}/{start_ticks}"


def group_members(group: int) -> list[int]:
    """The running processes of process group `group`, zombies left out."""
    if not BOOT_ID.exists():
        return _group_members_by_ps(group)
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if (stat := _stat(pid)) and stat[0] not in "ZX" and int(stat[2]) == group]


def _stat(pid: int) -> list[str] | None:
    """Fields 3 (state) and following of proc_pid_stat(5); the name before them may hold brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _ps(*options: str) -> list[list[str]]:
    answer = subprocess.run(["ps", *options], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return [line.split() for line in answer.stdout.splitlines()]


def _fingerprint_by_ps(pid: int) -> str | None:
    for state, *began in _ps("-o", "stat=,lstart=", "-p", str(pid)):
        return None if state.startswith("Z") else " ".join(began)
    return None


def _group_members_by_ps(group: int) -> list[int]:
    rows = _ps("-A", "-o", "pid=,pgid=,stat=")
    return [int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z")]
