"""lean_services.py SERVICE...: print what adapters/lean_client.py must know of each service, as botocore says, as JSON.

Run by an interpreter that has botocore, see build_layer.py.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from botocore.session import Session


def lean_services(names: list[str]) -> dict[str, dict[str, Any]]:
    """By service: how requests are named and signed, and the endpoint of every region of every partition.

    Raises ValueError where a service does not speak JSON.
    """
    session = Session()
    session.set_credentials("none", "none")  # endpoints come with a client, and a client wants some
    return {name: _service(session, name) for name in names}


def _service(session: Session, name: str) -> dict[str, Any]:
    partitions = session.get_available_partitions()
    regions = [region for p in partitions for region in session.get_available_regions(name, p)]
    model = session.get_service_model(name)
    if model.metadata["protocol"] != "json":
        raise ValueError(f"{name} speaks {model.metadata['protocol']}, not json")
    operations = (model.operation_model(operation) for operation in model.operation_names)
    return {
        "signing_name": model.signing_name,
        "target": model.metadata["targetPrefix"],
        "content_type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
        "tokens": {o.name: o.idempotent_members[0] for o in operations if o.idempotent_members},
        "endpoints": {r: session.create_client(name, region_name=r).meta.endpoint_url for r in regions},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(lean_services(sys.argv[1:])))
