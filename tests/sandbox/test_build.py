from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from layers.build_layer import find_python
from sandbox.deployment import DeploymentError, build, deploy
from sandbox.server import EMULATOR_PYTHON, ROOT, Server

FIXTURE = Path(__file__).parent / "fixtures" / "template.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built template of the fixture, for the sandbox."""
    return build(FIXTURE, tmp_path_factory.mktemp("build"), "sandbox").template


@pytest.fixture(scope="module")
def built_for_aws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The control plane, as it goes to AWS: built without Lambda's interpreter, without Docker."""
    return build(ROOT / "template.yaml", tmp_path_factory.mktemp("build"), "aws").template


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def pyc_flags(file: Path) -> int:
    """PEP 552: 0 checked by time, 0b01 hash-based and never checked, 0b11 hash-based and checked."""
    (flags,) = struct.unpack("<I", file.read_bytes()[4:8])
    return int(flags)


def cache_tag(interpreter: Path) -> str:
    question = [str(interpreter), "-c", "import sys; print(sys.implementation.cache_tag)"]
    return subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def bytecode_of(layer: Path) -> list[Path]:
    return list(layer.rglob("*.pyc"))


class TestLayers:
    def test_the_core_layer_carries_the_package_and_the_content_that_ships_with_it(self, built: Path):
        python = built.parent / "CoreLayer" / "python"

        shipped = {str(file.relative_to(python)) for file in python.rglob("*") if file.suffix != ".pyc"}
        runbooks = {f"selfright_content/runbooks/{file.name}" for file in (ROOT / "runbooks").glob("*.yaml")}
        workloads = {
            f"selfright_content/{file.relative_to(ROOT)}" for file in (ROOT / "workloads").rglob("*.yaml")
        }
        assert {"selfright/domain/errors.py"} | runbooks | workloads <= shipped

    def test_sandbox_layers_hold_wheels_and_bytecode_of_the_emulators_interpreter(self, built: Path):
        vendor = built.parent / "VendorLayer"
        tag = cache_tag(EMULATOR_PYTHON)

        (core_of_pydantic,) = vendor.glob("python/pydantic_core/*.so")
        assert tag in core_of_pydantic.name
        assert (vendor / "python" / "pydantic" / "__pycache__" / f"main.{tag}.pyc").exists()
        assert {pyc_flags(file) for file in bytecode_of(vendor)} == {0b01}

    def test_aws_layers_hold_wheels_of_lambda_though_it_does_not_run_here(self, built_for_aws: Path):
        libraries = [file.name for file in (built_for_aws.parent / "VendorLayer").rglob("*.so")]

        assert libraries
        assert all(name.endswith(".cpython-313-aarch64-linux-gnu.so") for name in libraries)

    def test_aws_layers_hold_bytecode_where_lambdas_interpreter_runs_here(self, built_for_aws: Path):
        found = bytecode_of(built_for_aws.parent / "CoreLayer")

        if find_python((3, 13)):
            assert {file.suffixes[0] for file in found} == {".cpython-313"}
            assert {pyc_flags(file) for file in found} == {0b01}
        else:
            assert found == []

    def test_no_layer_holds_what_only_an_installer_needs(self, built: Path):
        python = built.parent / "VendorLayer" / "python"

        assert {file.name for file in python.glob("*.dist-info/*") if file.is_file()} <= {
            "METADATA",
            "LICENSE",
            "top_level.txt",
            "entry_points.txt",
        }
        assert not (python / "bin").exists()
        assert not (python / ".lock").exists()

    def test_packages_in_the_layer_still_know_their_versions(self, built: Path):
        layers = os.pathsep.join(
            str(built.parent / layer / "python") for layer in ("CoreLayer", "VendorLayer")
        )
        program = (
            "import importlib.metadata as m, pydantic, selfright.domain.errors;"
            "print(m.version('pydantic') == pydantic.VERSION, pydantic.version.version_info() != '')"
        )

        told = subprocess.run(  # noqa: S603
            [str(EMULATOR_PYTHON), "-c", program],
            env={"PYTHONPATH": layers},
            capture_output=True,
            text=True,
            check=False,
        )

        assert (told.stdout.strip(), told.stderr) == ("True True", "")

    def test_equal_inputs_give_equal_bytes(self, built: Path, tmp_path: Path):
        again = build(FIXTURE, tmp_path, "sandbox").template

        assert digests(again.parent / "CoreLayer") == digests(built.parent / "CoreLayer")
        assert digests(again.parent / "VendorLayer") == digests(built.parent / "VendorLayer")


class TestBuild:
    def test_nothing_is_built_twice(self, tmp_path: Path):
        first = build(FIXTURE, tmp_path, "sandbox")
        before = first.template.stat().st_mtime_ns

        second = build(FIXTURE, tmp_path, "sandbox")

        assert (first.reused, second.reused) == (False, True)
        assert second.template.stat().st_mtime_ns == before

    def test_another_target_is_another_build(self, tmp_path: Path):
        sandbox, aws = (build(FIXTURE, tmp_path, target) for target in ("sandbox", "aws"))

        assert (sandbox.reused, aws.reused) == (False, False)
        assert sandbox.template.exists()
        assert aws.template.exists()
        assert sandbox.template != aws.template

    def test_a_build_leaves_nothing_but_itself(self, tmp_path: Path):
        built = build(FIXTURE, tmp_path, "sandbox")
        assert {path.name for path in tmp_path.iterdir()} == {built.template.parent.name, "build.toml"}

    def test_a_failed_build_says_what_sam_said_and_is_tried_again(self, tmp_path: Path):
        template = tmp_path / "template.yaml"
        template.write_text(
            FIXTURE.read_text().replace("../../../layers", str(ROOT / "layers")).replace("CoreLayer", "Core")
        )

        for _ in range(2):
            with pytest.raises(DeploymentError, match="build-Core"):
                build(template, tmp_path / "build", "sandbox")
        assert [path.name for path in (tmp_path / "build").iterdir() if path.is_dir()] == []

    def test_a_template_that_is_not_there_is_named(self, tmp_path: Path):
        with pytest.raises(DeploymentError, match=r"absent\.yaml"):
            build(tmp_path / "absent.yaml", tmp_path / "build", "sandbox")


@pytest.fixture
def stack(aws: Server) -> Iterator[str]:
    yield "greeter"
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName="greeter")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="greeter", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )


class TestDeploy:
    def test_deployed_invoked_updated_and_deleted(self, aws: Server, built: Path):
        cloudformation = aws.client("cloudformation")

        # Given a deployed stack: its function finds both layers, precompiled
        outputs = deploy(aws, built, "short-lived", {"Greeting": "Hello", "Delay": "7"})
        answer = self.greet(aws, outputs["FunctionName"])
        assert answer["greeting"] == "Hello, Ada"
        assert "/python/selfright/domain/errors.py" in answer["core"]
        assert "/python/selfright/domain/__pycache__/errors." in answer["core_bytecode"]
        assert self.delay(aws, outputs["QueueUrl"]) == "7"

        # When it is deployed with another parameter, the same resources change and no layer is published again
        layers = aws.client("lambda").get_function(FunctionName=outputs["FunctionName"])["Configuration"][
            "Layers"
        ]
        updated = deploy(aws, built, "short-lived", {"Greeting": "Welcome", "Delay": "8"})
        assert updated == outputs
        assert self.greet(aws, outputs["FunctionName"])["greeting"] == "Welcome, Ada"
        assert self.delay(aws, outputs["QueueUrl"]) == "8"
        after = aws.client("lambda").get_function(FunctionName=outputs["FunctionName"])["Configuration"][
            "Layers"
        ]
        assert after == layers

        # And deploying what is deployed already changes nothing and is no failure
        assert deploy(aws, built, "short-lived", {"Greeting": "Welcome", "Delay": "8"}) == outputs

        # Then, deleted, it is gone
        cloudformation.delete_stack(StackName="short-lived")
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName="short-lived", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        with pytest.raises(ClientError, match="ResourceNotFound"):
            aws.client("lambda").get_function(FunctionName=outputs["FunctionName"])

    def test_a_resource_that_fails_is_named_with_its_reason(self, aws: Server, built: Path, stack: str):
        with pytest.raises(DeploymentError) as failed:
            deploy(aws, built, stack, {"Greeting": "Hello", "Delay": "901"})

        assert "stack greeter" in str(failed.value)
        assert "Inbox (AWS::SQS::Queue) CREATE_FAILED: " in str(failed.value)
        assert "between 0 and 900" in str(failed.value)

    def test_a_parameter_that_breaks_its_rule_is_named(self, aws: Server, built: Path):
        with pytest.raises(DeploymentError, match=r"Greeting.*must match"):
            deploy(aws, built, "never-made", {"Greeting": 'says "hi, you"'})

    def test_a_deployment_leaves_no_files_of_sam(self, aws: Server, built: Path, stack: str):
        before = sorted(path.name for path in aws.folder.iterdir())

        deploy(aws, built, stack, {"Greeting": "Hello"})

        assert sorted(path.name for path in aws.folder.iterdir()) == before

    @staticmethod
    def greet(aws: Server, function: str) -> dict[str, str]:
        answer = aws.client("lambda").invoke(FunctionName=function, Payload=b'{"name": "Ada"}')
        document = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, document
        return dict(document)

    @staticmethod
    def delay(aws: Server, queue: str) -> str:
        attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["DelaySeconds"])
        return str(attributes["Attributes"]["DelaySeconds"])
