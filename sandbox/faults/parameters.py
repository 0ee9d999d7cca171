"""The two parameters of the workload that faults touch, in Parameter Store."""

from __future__ import annotations

from sandbox.server import Server


def settings_parameter(environment: str) -> str:
    """What operators set."""
    return f"/opportunity-analysis/{environment}/settings"


def fault_parameter(environment: str) -> str:
    """What a rehearsal makes a dependency do; exists only while it lasts."""
    return f"/opportunity-analysis/{environment}/injected-fault"


def read(server: Server, name: str) -> str | None:
    """The parameter's value, None where it does not exist."""
    ssm = server.client("ssm")
    try:
        value: str = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None
    return value
