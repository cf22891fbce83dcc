import numpy as np
import pytest

from fer_keras.data.records import RecordSet
from fer_keras.data.sidecars import read_sidecar, read_stamp
from fer_keras.data.valence_arousal import from_teacher
from fer_keras.training import teacher


def test_no_sample_is_predicted_by_a_network_that_saw_it(make_config, monkeypatch):
    """The ids that each fold trains on and the rows it fills are disjoint, and every row is filled once."""
    seen = []
    original = teacher.training_dataset

    def spy(*args, **options):
        seen.append(options["subset"])
        return original(*args, **options)

    monkeypatch.setattr(teacher, "training_dataset", spy)
    probs = teacher.out_of_fold_probabilities(make_config(schedule={"epochs": 1}), folds=2)
    np.testing.assert_allclose(probs.sum(-1), 1.0, rtol=1e-5)
    assert len(seen) == 2 and not set(seen[0]) & set(seen[1])
    assert sorted(np.concatenate(seen)) == list(range(32))


def test_sidecar_becomes_positions(make_config):
    config = make_config(schedule={"epochs": 1}, data={"noisy_labels": "noisy_labels-test"})
    teacher.write_teacher(config, folds=2, name="test")
    record_set = RecordSet.load(config.data.directory)
    assert read_sidecar(record_set, "train", "teacher_probs-test").shape == (32, 8)
    stamp = read_stamp(record_set, "train", "teacher_probs-test")
    assert (stamp["folds"], stamp["labels"]) == (2, "noisy_labels-test")
    assert np.abs(from_teacher(record_set, "train", "teacher_probs-test")).max() <= 1


def test_more_folds_than_samples_of_a_class(make_config):
    with pytest.raises(ValueError, match="9 folds: a class has fewer samples"):
        teacher.out_of_fold_probabilities(make_config(), folds=9)
