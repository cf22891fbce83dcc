"""Which methods may learn from mixed images, and what the others say."""

import keras
import pytest

from fer_keras import methods
from fer_keras.config import dump_config, load_config
from fer_keras.data.records import RecordSet
from fer_keras.training import TrainingError, train
from fer_keras.training.trainer import build_method

CROSS_ENTROPY = {"name": "cross_entropy"}


@pytest.mark.parametrize("augmentation", [{"mix_up": {}}, {"keras_cv": [{"layer": "FourierMix"}]}])
def test_a_method_with_tables_of_samples_refuses_them(make_config, augmentation):
    config = make_config(data={"augmentation": augmentation, "neighbors": None})
    with pytest.raises(TrainingError, match=r"data\.augmentation: ldlva takes every image for one sample") as error:
        train(config)
    assert "\n" not in str(error.value)


def test_cross_entropy_refuses_them_with_its_table_of_samples(make_config):
    method = {**CROSS_ENTROPY, "prediction_momentum": 0.9}
    config = make_config(method=method, data={"augmentation": {"cut_mix": {}}, "neighbors": None})
    with pytest.raises(TrainingError, match="cross_entropy with these options takes every image for one sample"):
        train(config)


class StopAfterTheFirstEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_cross_entropy_accepts_them(make_config):
    config = make_config(method=CROSS_ENTROPY, data={"augmentation": {"cut_mix": {}}, "neighbors": None})
    model = build_method(config, RecordSet.load(config.data.directory))
    assert model.accepts_mixed_samples


@pytest.mark.slow
def test_cross_entropy_learns_from_them_and_a_resumed_run_is_the_same_run(make_config):
    augmentation = {"mix_up": {}, "cut_mix": {}, "keras_cv": [{"layer": "GridMask"}]}
    options = {"method": CROSS_ENTROPY, "data": {"augmentation": augmentation, "neighbors": None}}
    whole = train(make_config("whole", **options))
    with pytest.raises(KeyboardInterrupt):
        train(make_config("parts", **options), callbacks=[StopAfterTheFirstEpoch()])
    parts = train(make_config("parts", **options))
    assert (whole / "results.csv").read_text() == (parts / "results.csv").read_text()


def test_the_configuration_is_written_and_read_back(make_config, tmp_path):
    augmentation = {
        "rand_augment": {},
        "keras": [{"layer": "RandomPerspective", "probability": 0.5, "scale": 0.2}],
        "keras_cv": [{"layer": "GridMask", "ratio_factor": [0.2, 0.4]}],
    }
    config = make_config(data={"augmentation": augmentation})
    (tmp_path / "config.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "config.yaml") == config


def test_methods_that_accept_them_say_so_themselves():
    assert methods.Method.accepts_mixed_samples is False
    accepting = {name for name in methods.names() if methods.get(name).accepts_mixed_samples}
    assert "cross_entropy" in accepting
    assert "ldlva" not in accepting
    assert all("accepts_mixed_samples" in vars(methods.get(name)) for name in accepting)
