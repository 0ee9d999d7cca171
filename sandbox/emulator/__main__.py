"""Start the local AWS: GATEWAY_PORT=4566 python -m sandbox.emulator"""

from __future__ import annotations

import importlib
import os

from sandbox.emulator.clock import SandboxClock

# In this order: a later behaviour may rely on an earlier one.
BEHAVIOURS: tuple[str, ...] = ()


def main() -> None:
    """Install every behaviour, then serve until stopped."""
    os.environ.setdefault("BIND_HOST", "127.0.0.1")
    os.environ.setdefault("IOT_MTLS_ENABLED", "0")
    from ministack.app import main as serve

    clock = SandboxClock.from_environment()
    for name in BEHAVIOURS:
        importlib.import_module(f"sandbox.emulator.{name}").install(clock)
    serve()


if __name__ == "__main__":
    main()
