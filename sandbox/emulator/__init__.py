"""The process of the local AWS. One file per AWS behaviour that plain MiniStack 1.5.33 lacks.

A behaviour is a module with `install(clock: SandboxClock) -> None`. It names the AWS behaviour it supplies in
its first docstring line, and replaces names of MiniStack or moto only through `wrapping.replace`, which fails at
start with a clear message where a pinned version changed. `__main__` installs them in the order of BEHAVIOURS and
starts the server.

This package runs in its own virtual environment (locks/emulator.txt); nothing else imports it.
"""
