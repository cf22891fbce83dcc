"""The files for TensorFlow Serving in ``saved_models/`` can be read and fit together."""

from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "saved_models"


@pytest.fixture(scope="module")
def models():
    """The entries of ``models.config``."""
    messages = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2", reason="needs the extra serve")
    from google.protobuf import text_format

    config = text_format.Parse((FOLDER / "models.config").read_text(), messages.ModelServerConfig())
    return config.model_config_list.config


def test_models_lie_where_the_container_looks(models):
    volumes = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["tensorflow-serving"]["volumes"]
    assert volumes == [".:/models:ro"]
    assert models
    for model in models:
        assert (model.base_path, model.model_platform) == (f"/models/{model.name}", "tensorflow")


def test_the_container_reads_the_list_and_is_not_open_to_the_network():
    service = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["tensorflow-serving"]
    assert service["command"] == ["--model_config_file=/models/models.config"]
    assert [port.rpartition(":")[0] for port in service["ports"]] == ["127.0.0.1:8500", "127.0.0.1:8501"]
