"""What a handler finds around it: its own code, its layers, the runtime's boto3 - and nothing of the host."""

from __future__ import annotations

import uuid

import pytest

from sandbox.server import Server
from tests.sandbox.emulator.lambda_functions import call, create, zipped

WHO = "import who\ndef handler(event, context): return who.NAME"


def layer(aws: Server, **files: str) -> str:
    published = aws.client("lambda").publish_layer_version(
        LayerName=f"l-{uuid.uuid4().hex[:12]}", Content={"ZipFile": zipped(**files)}
    )
    arn: str = published["LayerVersionArn"]
    return arn


def test_the_functions_own_code_wins_over_its_layers(aws: Server):
    of_layer = layer(aws, python__who="NAME = 'layer'", python__only="NAME = 'layer'")
    code = "import app, only\nNAME = 'function'\ndef handler(event, context): return [app.NAME, only.NAME]"

    names, _ = call(aws, create(aws, code, Layers=[layer(aws, python__app="NAME = 'layer'"), of_layer]))

    assert names == ["function", "layer"]


def test_the_last_layer_wins_over_the_one_before(aws: Server):
    layers = [layer(aws, python__who="NAME = 'first'"), layer(aws, python__who="NAME = 'last'")]

    name, _ = call(aws, create(aws, WHO, Layers=layers))

    assert name == "last"


def test_a_layer_wins_over_the_packages_of_the_runtime(aws: Server):
    own_boto3 = layer(aws, **{"python__lib__python3.13__site-packages__boto3": "NAME = 'own'"})

    name, _ = call(aws, create(aws, WHO.replace("who", "boto3"), Layers=[own_boto3]))

    assert name == "own"


def test_boto3_is_there_and_speaks_to_this_aws(aws: Server):
    code = (
        "import boto3\n"
        "def handler(event, context): return boto3.client('sts').get_caller_identity()['Account']"
    )

    account, _ = call(aws, create(aws, code))

    assert account == "000000000000"


@pytest.mark.parametrize("package", ["selfright", "sandbox", "cli", "ministack", "moto", "pydantic", "yaml"])
def test_packages_of_the_host_are_not_importable(aws: Server, package: str):
    error, _ = call(aws, create(aws, f"import {package}\ndef handler(event, context): ..."))

    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == f"Unable to import module 'app': No module named '{package}'"


def test_a_deployed_layer_brings_the_package(aws: Server):
    deployed = layer(aws, python__selfright__who="NAME = 'deployed'", python__selfright____init__="")

    code = "from selfright import who\ndef handler(event, context): return who.NAME"

    name, _ = call(aws, create(aws, code, Layers=[deployed]))

    assert name == "deployed"


def test_the_environment_is_that_of_lambda_and_the_sandbox_address(aws: Server):
    # Given a function with one variable of its own, and an emulator whose process has many
    code = "import os\ndef handler(event, context): return dict(os.environ)"
    name = create(aws, code, Environment={"Variables": {"TABLE": "orders", "AWS_REGION": "mars-1"}})
    # When it reads its environment
    found, _ = call(aws, name)
    # Then there is what AWS documents, two folders in place of the developer's, and where this AWS is
    own = {key: value for key, value in found.items() if not key.startswith(("AWS_", "LAMBDA_", "_"))}
    home = own.pop("HOME")
    assert own == {
        "TABLE": "orders",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TMPDIR": f"{home}/tmp",  # noqa: S108 - a folder in the sandbox's own
        "SELFRIGHT_CLOCK": aws.environment()["SELFRIGHT_CLOCK"],
    }
    assert found["AWS_ENDPOINT_URL"] == aws.endpoint
    assert found["AWS_DISABLE_HOST_PREFIX_INJECTION"] == "true"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "us-east-1"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert found["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert found["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{name}"
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert found["_HANDLER"] == "app.handler"
    assert "AWS_EC2_METADATA_DISABLED" not in found


def test_paths_of_code_and_layers_lead_to_where_they_lie(aws: Server):
    # Given variables that name files of the code and of a layer by their paths on AWS
    paths = {"OWN": "/var/task/app.py", "LAYER": "/opt/python/who.py", "NOWHERE": "/opt/missing"}
    code = (
        "import os\n"
        "def handler(event, context):\n"
        "    return [open(os.environ[name]).read()[:6] for name in ('OWN', 'LAYER')] + [os.environ['NOWHERE']]"
    )
    of_layer = layer(aws, python__who="NAME = 'layer'")
    # When the handler opens them
    read, _ = call(aws, create(aws, code, Layers=[of_layer], Environment={"Variables": paths}))
    # Then they are there; a path that leads nowhere stays as it is
    assert read == ["import", "NAME =", "/opt/missing"]


def test_stack_traces_name_files_as_on_aws(aws: Server):
    of_layer = layer(aws, python__shop="def price(order): return order['total']")
    code = "import boto3, shop\ndef handler(event, context): return shop.price(event) or boto3.client('sqs').list_queues(No=1)"
    name = create(aws, code, Layers=[of_layer])

    in_layer, _ = call(aws, name)
    in_boto3, _ = call(aws, name, {"total": 0})

    assert [frame.splitlines()[0].split(",")[0] for frame in in_layer["stackTrace"]] == [
        '  File "/var/task/app.py"',
        '  File "/opt/python/shop.py"',
    ]
    assert in_boto3["stackTrace"][1].startswith('  File "/var/runtime/botocore/client.py"')


def test_changed_settings_take_effect_on_the_next_invocation(aws: Server):
    name = create(aws, "import os\ndef handler(event, context): return os.environ.get('MODE')")
    before, _ = call(aws, name)

    aws.client("lambda").update_function_configuration(
        FunctionName=name, Environment={"Variables": {"MODE": "on"}}
    )
    after, _ = call(aws, name)

    assert (before, after) == (None, "on")
