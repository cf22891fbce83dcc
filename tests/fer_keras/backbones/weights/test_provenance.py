import hashlib
import json

import keras
import pytest

from fer_keras.backbones.weights.matching import WeightsError
from fer_keras.backbones.weights.provenance import (
    describe_pretraining,
    note_path,
    pretraining_record,
    read_note,
    write_note,
)

NOTE = {"source": "resnet18_msceleb.pth", "sha256": "a1" * 32}


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "net.weights.h5"
    file.write_bytes(b"weights")
    return file


def test_random_and_imagenet_weights():
    assert pretraining_record("resnet50", None) == {"kind": "none"}
    record = pretraining_record("resnet50", "imagenet")
    assert record == {"kind": "imagenet", "network": "resnet50", "keras": keras.__version__}
    assert describe_pretraining(record) == (
        f"ImageNet, weights of keras.applications for resnet50 (Keras {keras.__version__})"
    )
    assert describe_pretraining(None) == "not recorded"


def test_a_file_with_its_note(weights):
    digest = hashlib.sha256(b"weights").hexdigest()
    write_note(weights, NOTE)
    record = pretraining_record("resnet18", str(weights))
    assert record == {
        "kind": "file",
        "file": "net.weights.h5",
        "sha256": digest,
        "provenance": {**NOTE, "weights_sha256": digest},
    }
    expected = f"net.weights.h5 (SHA-256 {digest}), imported from resnet18_msceleb.pth (SHA-256 {'a1' * 32})"
    assert describe_pretraining(record) == expected


def test_a_file_without_a_note(weights):
    record = pretraining_record("resnet18", str(weights))
    assert record["provenance"] is None and describe_pretraining(record).endswith("; origin not recorded")


def test_a_note_on_another_content_is_refused(weights):
    write_note(weights, NOTE)
    weights.write_bytes(b"other weights")
    with pytest.raises(WeightsError, match=r"net\.weights\.h5\.json: written for another file than net\.weights\.h5"):
        read_note(weights)


@pytest.mark.parametrize("content", ["{", "[]", json.dumps(NOTE)])
def test_a_damaged_note_is_named(content, weights):
    note_path(weights).write_text(content)
    with pytest.raises(WeightsError, match=r"net\.weights\.h5\.json: not a note on weights"):
        read_note(weights)


def test_weights_of_a_pretraining_tell_what_they_learnt_from(weights):
    data = [{"name": "ferplus", "samples": 25000}, {"name": "faces", "samples": 300}]
    write_note(
        weights, {"source": "run mae", "pretraining": {"method": "masked autoencoding", "epochs": 40, "data": data}}
    )
    told = describe_pretraining(pretraining_record("vit_tiny", str(weights)))
    images = "25,000 images of ferplus and 300 images of faces"
    assert told.endswith(f"), masked autoencoding of run mae: 40 epochs on {images}, without labels")
