"""A request for a release: an event DeploymentRequested, an uploaded document, or the request itself as CI sends it."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from pydantic import Field

from selfright.domain.errors import BadInputError
from selfright.domain.release import ReleaseRequest
from selfright.edge.event_parts import Account, Filled, Part, read
from selfright.edge.room import parsed
from selfright.ports import Uploads

DETAIL_TYPE = "DeploymentRequested"
OBJECT_CREATED = "Object Created"
FOLDER, ENDING = "releases/", ".json"  # as template.yaml asks EventBridge for them
# A request of a thousand artifacts is smaller; what is larger is none, and is not read.
LARGEST = 256 * 1024


class Bucket(Part):
    name: Filled


class Object(Part):
    key: Filled
    size: int = Field(ge=0)
    version: str | None = Field(default=None, alias="version-id")


class ObjectDetail(Part):
    bucket: Bucket
    object: Object
    requester: str = "unknown"
    source_ip_address: str = Field(default="unknown", alias="source-ip-address")


class ObjectCreated(Part):
    """Shape: S3 user guide, "EventBridge event message structure". `account` owns the bucket, `requester` wrote."""

    detail_type: Literal["Object Created"] = Field(alias="detail-type")
    source: Literal["aws.s3"]
    account: Account
    detail: ObjectDetail


class Asked(NamedTuple):
    """A request, and who sent it as AWS says so: the request's own `requested_by` is what its sender says."""

    request: ReleaseRequest
    sender: dict[str, str]


def deployment_request(event: Any, uploads: Uploads) -> Asked:
    """The request that an event carries, or names. Raises BadInputError naming the field and the rule."""
    if not isinstance(event, dict):
        raise BadInputError("event", "must be an object")
    match event.get("detail-type"):
        case None:
            return Asked(parsed(ReleaseRequest, event), {"by": "call"})
        case "DeploymentRequested":
            sender = {"by": "event", "account": str(event.get("account")), "event": str(event.get("id"))}
            return Asked(parsed(ReleaseRequest, event.get("detail")), sender)
        case "Object Created":
            return _uploaded(read(ObjectCreated, event), uploads)
        case _:
            raise BadInputError("detail-type", f"must be {DETAIL_TYPE} or {OBJECT_CREATED}")


def request_in(text: str | bytes) -> ReleaseRequest:
    """A request as JSON. Raises BadInputError naming the field and the rule."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError("request", f"must be JSON ({error})") from None
    return parsed(ReleaseRequest, document)


def _uploaded(event: ObjectCreated, uploads: Uploads) -> Asked:
    bucket, found = event.detail.bucket.name, event.detail.object
    place = f"s3://{bucket}/{found.key}"
    if not (found.key.startswith(FOLDER) and found.key.endswith(ENDING)):
        raise BadInputError("detail.object.key", f"must be {FOLDER}...{ENDING}")
    if found.size > LARGEST:
        raise BadInputError(
            "detail.object.size", f"must be at most {LARGEST} bytes, {place} has {found.size}"
        )
    sender = {
        "by": "upload",
        "requester": event.detail.requester,
        "account": event.account,
        "address": event.detail.source_ip_address,
        "object": f"{place} {found.version or ''}".strip(),
    }
    return Asked(request_in(uploads.read(bucket, found.key, found.version, LARGEST)), sender)
