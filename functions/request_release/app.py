"""Woken by DeploymentRequested or an uploaded request, or called by CI: take a release, start `deploy`."""

from typing import Any

from selfright.edge.deployment_request import deployment_request
from selfright.edge.room import logger
from selfright.usecases.request_release import request_release
from selfright.wiring import house


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    home = house()
    request, sender = deployment_request(event, home.uploads)
    logger.set_correlation_id(request.release_id)
    requested = request_release(
        request,
        sender,
        workloads=home.workloads,
        releases=home.releases,
        deployments=home.deployments,
        clock=home.clock,
    )
    logger.info("release requested", extra={"result": requested.model_dump(mode="json")})
    return requested.model_dump(mode="json")
