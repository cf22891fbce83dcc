import numpy as np
import pytest

from fer_keras.data.class_weights import balanced_class_weights
from fer_keras.data.records import RecordSet, RecordSetError
from fer_keras.data.sidecars import SidecarError, read_sidecar, write_sidecar
from fer_keras.training.inputs import build_inputs, given_labels
from fer_keras.training.trainer import TrainingError, build_method


def test_balanced_classes_come_with_their_weights(make_config, ready_record_set):
    data = {"class_weights": "balanced", "noisy_labels": "noisy_labels-test"}
    inputs = build_inputs(make_config(data=data))
    labels = given_labels(RecordSet.load(ready_record_set), "train", "noisy_labels-test")
    weights = balanced_class_weights(labels, 8)
    assert len(set(weights.tolist())) > 1
    seen = 0
    for _, y, sample_weight in inputs.training.take(inputs.steps_per_epoch):
        np.testing.assert_allclose(sample_weight, weights[y["label"].numpy()])
        seen += len(sample_weight)
    assert seen == len(labels)


def test_without_them_there_is_no_third_part(make_config):
    assert len(build_inputs(make_config()).training.element_spec) == 2


VOTES = {"name": "votes", "scheme": "cross_entropy"}


def test_candidates_of_the_samples(make_config, ready_record_set):
    expected = read_sidecar(RecordSet.load(ready_record_set), "train", "candidates-test")
    inputs = build_inputs(make_config(data={"neighbors": None, "candidates": "candidates-test"}, method=VOTES))
    for x, y in inputs.training.take(inputs.steps_per_epoch):
        np.testing.assert_array_equal(y["candidates"], expected[x["sample_id"].numpy()])


def test_candidates_of_the_true_labels_are_refused_beside_noisy_ones(make_config, ready_record_set):
    data = {"neighbors": None, "noisy_labels": "noisy_labels-test"}
    with pytest.raises(SidecarError, match=r"would give away the true labels behind noisy_labels-test; .* --labels"):
        build_inputs(make_config(data={**data, "candidates": "candidates-test"}, method=VOTES))
    record_set = RecordSet.load(ready_record_set)
    sets = np.full((32, 8), 1 / 8, "float32")
    write_sidecar(record_set, "train", "candidates-noisy", sets, labels="noisy_labels-test")
    assert build_inputs(make_config(data={**data, "candidates": "candidates-noisy"}, method=VOTES)).steps_per_epoch == 4


@pytest.mark.parametrize("method", [VOTES, {"name": "pll"}], ids=["votes", "pll"])
def test_methods_that_need_candidates_say_so_before_training(make_config, ready_record_set, method):
    config = make_config(data={"neighbors": None}, method=method)
    with pytest.raises(TrainingError, match=r"data.candidates: .* learns from candidate sets; name a sidecar"):
        build_method(config, RecordSet.load(ready_record_set))
    config = make_config(data={"neighbors": None}, method={"name": "votes", "scheme": "majority"})
    assert build_method(config, RecordSet.load(ready_record_set)).scheme == "majority"


def test_votes_serve_where_they_name_no_label(make_config, write_fer2013_csv, write_votes_csv, run_tool, tmp_path):
    # Most say `unknown` of the second row: no label, but votes for two emotions.
    rows = [("Training", [10] + [0] * 9), ("Training", [2, 3] + [0] * 6 + [5, 0])] + [
        ("Training", [0, 9, 1] + [0] * 7)
    ] * 6
    images = write_fer2013_csv([usage for usage, _ in rows])
    arguments = ("--images", images, "--votes", write_votes_csv(rows), "--protocol", "all", "--out", tmp_path / "all")
    assert run_tool("ferplus", *arguments).returncode == 0
    data = {"directory": str(tmp_path / "all"), "train_split": "Training", "validation_split": None, "neighbors": None}
    plain = {"name": "cross_entropy"}
    inputs = build_inputs(make_config(data={**data, "targets": "votes"}, method=plain))
    x, y = next(iter(inputs.training))
    by_sample = dict(zip(x["sample_id"].numpy().tolist(), y["distribution"].numpy().tolist(), strict=True))
    np.testing.assert_allclose(by_sample[1], [0.4, 0.6, 0, 0, 0, 0, 0, 0])
    for targets, method in (("labels", plain), ("votes", {"name": "eac"})):
        with pytest.raises(RecordSetError, match="1 samples have no label"):
            build_inputs(make_config(data={**data, "targets": targets}, method=method))
