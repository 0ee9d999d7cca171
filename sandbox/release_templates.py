"""Templates of the sample workload's stack that a release can bring: what is deployed, with something more."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.release_artifacts import BUCKET, bucket
from sandbox.server import SandboxError, Server

# A parameter that nobody reads.
NOTE = """
  ReleaseNote:
    Type: AWS::SSM::Parameter
    Properties:
      Name: !Sub /opportunity-analysis/${Environment}/release-note
      Type: String
      Value: what a release brought
"""
# It cannot be made: nobody answers for it. By then the note is, and an alarm is changed.
BROKEN = """
  Broken:
    Type: Custom::Broken
    DependsOn: [ReleaseNote, OrchestratorFunction]
    Properties:
      ServiceToken: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:nobody
"""
ADDED = {"good": NOTE, "infrastructure": NOTE + BROKEN}


def deployed(server: Server, stack: str) -> str:
    """The template that the stack was made from, with its code where it lies."""
    body = server.client("cloudformation").get_template(StackName=stack, TemplateStage="Original")[
        "TemplateBody"
    ]
    return body if isinstance(body, str) else json.dumps(body)


def upload(server: Server, stack: str, kind: str, release_id: str, **parameters: str) -> dict[str, Any]:
    """Put a template into the artifact bucket; how a release request names it."""
    before = deployed(server, stack)
    if before.count("\nResources:\n") != 1:
        raise SandboxError(f"the template of {stack} is not written as sam writes it")
    text = before.replace("\nResources:\n", f"\nResources:{ADDED[kind]}")
    key = f"{release_id}/template.yaml"
    bucket(server).put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return {"bucket": BUCKET, "key": key, "sha256": sha256, "parameters": parameters}
