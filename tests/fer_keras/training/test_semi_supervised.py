import json

import keras
import numpy as np
import pytest

from fer_keras.data.records import RecordSet, RecordSetError
from fer_keras.data.sidecars import SidecarError, write_sidecar
from fer_keras.training import train
from fer_keras.training.inputs import build_inputs
from fer_keras.training.run_folder import RunFolder

SUBSET = np.where(np.arange(32) < 16, 1, 0)
SUBSET[31] = -1
DATA = {"neighbors": None, "labelled": "labelled-16-seed0", "unlabelled": {"batch_size": 4}}
LEAF = {"name": "leaf", "num_experts": 4, "margin": "augmented", "ema_decay": 0.9}


@pytest.fixture(autouse=True)
def subset(ready_record_set):
    write_sidecar(RecordSet.load(ready_record_set), "train", "labelled-16-seed0", SUBSET)


class StopAfterTheFirstEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_labelled_and_unlabelled_samples_do_not_meet(make_config):
    inputs = build_inputs(make_config(method=LEAF, data=DATA))
    assert inputs.steps_per_epoch == 15 // 4
    for x, y in inputs.training.take(9):
        assert set(x["sample_id"].numpy()) <= set(range(16))
        assert set(x["unlabelled_id"].numpy()) <= set(range(16, 31))
        assert x["strong"].shape == (4, 24, 24, 3) and y["label"].shape == (8,)


def test_an_epoch_has_as_many_steps_as_are_asked_for(make_config):
    inputs = build_inputs(make_config(method=LEAF, data={**DATA, "steps_per_epoch": 7}))
    assert inputs.steps_per_epoch == 7
    plain = make_config(method={"name": "cross_entropy"}, data={**DATA, "steps_per_epoch": 7})
    assert build_inputs(plain).steps_per_epoch == 7


def test_a_supervised_method_learns_from_the_same_few_labels(make_config):
    inputs = build_inputs(make_config(method={"name": "cross_entropy"}, data=DATA))
    assert inputs.steps_per_epoch == 2
    ids = np.concatenate([x["sample_id"] for x, _ in inputs.training.take(2)])
    assert sorted(ids) == list(range(16))
    assert "strong" not in inputs.training.element_spec[0]


def test_unlabelled_records_need_no_sidecar(make_config):
    data = {**DATA, "labelled": None, "noisy_labels": "noisy_labels-missing", "unlabelled": {"batch_size": 2}}
    inputs = build_inputs(make_config(method=LEAF, data=data))
    for x, y in inputs.training.take(3):
        assert set(x["unlabelled_id"].numpy()) == {0, 1}
        assert (y["label"].numpy() >= 0).all()


@pytest.mark.slow
def test_an_interrupted_run_ends_like_the_uninterrupted_one(make_config):
    options = {"method": LEAF, "data": DATA, "schedule": {"epochs": 2}}
    whole = RunFolder(train(make_config("whole", **options)))
    parts = make_config("parts", **options)
    with pytest.raises(KeyboardInterrupt):
        train(parts, callbacks=[StopAfterTheFirstEpoch()])
    resumed = RunFolder(train(parts))
    assert whole.results.read_text() == resumed.results.read_text()
    assert json.loads(whole.metrics.read_text()) == json.loads(resumed.metrics.read_text())


def test_what_is_missing_is_said(make_config):
    with pytest.raises(RecordSetError, match=r"every sample has a label, and leaf .*add-labelled-subset"):
        build_inputs(make_config(method=LEAF, data={**DATA, "labelled": None}))
    with pytest.raises(SidecarError, match="labelled-9-seed9"):
        build_inputs(make_config(method=LEAF, data={**DATA, "labelled": "labelled-9-seed9"}))
