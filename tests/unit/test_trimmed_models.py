"""Trimmed models are botocore's own without the prose: no operation, shape or endpoint rule may get lost."""

from __future__ import annotations

from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from layers.build_layer import MODELS
from layers.trim_models import services_of, trim_models
from tests.unit.template import ROOT, template

DATA = Path(botocore.__file__).parent / "data"
PACKAGE = ROOT / "layers" / "core" / "selfright"
SERVICES = services_of(PACKAGE)


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    trim_models(DATA, SERVICES, folder)
    return folder


def loader(*folders: Path) -> Loader:
    return Loader([str(f) for f in folders], include_default_search_paths=False)


def prose_free(node: object) -> object:
    if isinstance(node, dict):
        return {
            k: prose_free(v) for k, v in node.items() if not (k == "documentation" and isinstance(v, str))
        }
    return [prose_free(v) for v in node] if isinstance(node, list) else node


def test_the_services_are_those_that_adapters_ask_for():
    assert {"dynamodb", "stepfunctions", "cloudwatch"} <= set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_a_trimmed_model_says_what_botocores_says(trimmed: Path, service: str, kind: str):
    full = loader(DATA).load_service_model(service, kind)
    kept = loader(trimmed).load_service_model(service, kind)

    assert prose_free(kept) == prose_free(full)
    assert kept.get("clientContextParams") == full.get("clientContextParams")  # botocore reads their texts


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_can_be_made_of_a_trimmed_model(
    trimmed: Path, service: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_DATA_PATH", str(trimmed))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    session = Session()
    session.set_credentials("key", "secret")

    made = session.create_client(service)

    assert made.meta.service_model.service_name == service
    assert session.get_component("data_loader").search_paths[0] == str(trimmed)


def test_prose_is_gone_and_shapes_called_documentation_are_not(tmp_path: Path):
    (tmp_path / "data" / "s" / "2026-01-01").mkdir(parents=True)
    model = tmp_path / "data" / "s" / "2026-01-01" / "service-2.json"
    model.write_text(
        '{"metadata": {"endpointPrefix": "s"}, "documentation": "<p>long</p>",'
        ' "shapes": {"documentation": {"type": "string", "documentation": "<p>long</p>"}}}'
    )
    (tmp_path / "data" / "endpoints.json").write_text(
        '{"partitions": [{"partition": "aws", "services": {"s": {}, "other": {}}}]}'
    )

    trim_models(tmp_path / "data", ["s"], tmp_path / "out")

    out = loader(tmp_path / "out")
    assert out.load_service_model("s", "service-2") == {
        "metadata": {"endpointPrefix": "s"},
        "shapes": {"documentation": {"type": "string"}},
    }
    assert out.load_data("endpoints") == {"partitions": [{"partition": "aws", "services": {"s": {}}}]}


def test_functions_look_where_the_layer_puts_them():
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["AWS_DATA_PATH"] == f"/opt/python/{MODELS}"
