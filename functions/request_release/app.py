"""Woken by the event DeploymentRequested, or called by CI or the command line: take a release, start `deploy`."""

from typing import Any

from selfright.edge.deployment_request import deployment_request
from selfright.edge.room import logger
from selfright.usecases.request_release import request_release
from selfright.wiring import house


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    request = deployment_request(event)
    logger.set_correlation_id(request.release_id)
    home = house()
    requested = request_release(
        request,
        workloads=home.workloads,
        releases=home.releases,
        deployments=home.deployments,
        clock=home.clock,
    )
    logger.info("release requested", extra={"result": requested.model_dump(mode="json")})
    return requested.model_dump(mode="json")
