import json

import keras
import numpy as np
import pytest

from fer_keras.training import TrainingError, train
from fer_keras.training.recorder import load_history
from fer_keras.training.run_folder import RunFolder
from fer_keras.training.trainer import average_statistics


def variables(path) -> list[np.ndarray]:
    model = keras.models.load_model(path, compile=False)
    # A .keras file does not hold the state of dropout's random numbers; the checkpoint does (test_resume.py).
    return [np.asarray(variable) for variable in model.variables if "seed" not in variable.path]


class StopAfter(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch, self.current = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.current = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.current == self.epoch and batch == 1:
            raise KeyboardInterrupt


def test_statistics_are_averaged_as_slowly_as_the_weights():
    image = keras.Input((4, 4, 3))
    slow = keras.layers.BatchNormalization(momentum=0.9999)(keras.layers.BatchNormalization()(image))
    model = keras.Model(image, slow)
    average_statistics(model, 0.999)
    assert [layer.momentum for layer in model.layers[1:]] == [0.999, 0.9999]
    batch = np.random.default_rng(0).normal(3.0, 1.0, (8, 4, 4, 3)).astype("float32")
    model(batch, training=True)
    np.testing.assert_allclose(model.layers[1].moving_mean, 0.001 * batch.mean((0, 1, 2)), rtol=1e-3)


RESUMED = {
    "bank": ({"name": "ldlva", "neighbor_mode": "bank", "uncertainty_momentum": 0.9, "dropout": 0.2}, {}, {}),
    "images": ({"name": "ldlva", "neighbor_mode": "images"}, {}, {"noisy_labels": "noisy_labels-test"}),
    "ema": ({"name": "cross_entropy", "prediction_momentum": 0.5}, {"ema": 0.9}, {"targets": "votes"}),
    "scn": ({"name": "scn", "relabel_epoch": 2, "relabel_margin": 0.01}, {}, {"neighbors": None}),
    "rul": ({"name": "rul", "embedding_width": 6}, {}, {"neighbors": None}),
    "eac": ({"name": "eac", "views": "noisy"}, {}, {"neighbors": None}),
    "ada_df": (
        {"name": "ada_df", "class_distributions": "extra_augmented", "threshold": 0.1}, {}, {"neighbors": None},
    ),
    "island_loss": ({"name": "island_loss"}, {}, {"neighbors": None}),
    "ldl_alsg": (
        {"name": "ldl_alsg", "neighbor_mode": "bank"}, {}, {"neighbors": ["neighbors-records-k3"] * 2},
    ),
    "dmue": (
        {"name": "dmue", "stage": "stage1", "ramp_epochs": 2.0, "dropout": 0.5},
        {},
        {"neighbors": None, "sampler": "class_aware", "batch_size": 16},
    ),
    "latent_truth": (
        {"name": "latent_truth", "source_weights": [1.0, 0.5], "warmup_epochs": 1},
        {},
        {"neighbors": None, "label_sources": "label_sources-two"},
    ),
    "votes": (
        {"name": "votes", "scheme": "probability", "dropout": 0.2},
        {},
        {"neighbors": None, "candidates": "candidates-test"},
    ),
    "pll": (
        {"name": "pll", "decoder_width": 8, "decoder_hidden": 8},
        {},
        {"neighbors": None, "candidates": "candidates-test"},
    ),
    "ambiguity_distillation": (
        {"name": "ambiguity_distillation", "ramp_epochs": 1.0, "teacher_decay": 0.9},
        {},
        {"neighbors": None, "targets": "votes"},
    ),
}  # fmt: skip
QUICK = ("bank",)
"""Cases of the default run; the others take half a minute each."""


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in RESUMED]
)
def test_resumed_run_equals_the_uninterrupted_one(make_config, case):
    method, training, data = RESUMED[case]
    augmentation = {"random_erasing": {"probability": 0.5}}
    options = {"method": method, "training": training, "data": {**data, "augmentation": augmentation}}
    whole = RunFolder(train(make_config("whole", **options)))
    parts = make_config("parts", **options)
    with pytest.raises(KeyboardInterrupt):
        train(parts, callbacks=[StopAfter(epoch=2)])
    resumed = RunFolder(train(parts))
    assert whole.results.read_text() == resumed.results.read_text()
    for which in ("best", "last"):
        for a, b in zip(variables(whole.weights(which)), variables(resumed.weights(which)), strict=True):
            np.testing.assert_array_equal(a, b)
    if method["name"] not in (
        "eac",
        "ada_df",
        "island_loss",
        "ldl_alsg",
        "latent_truth",
        "votes",
        "pll",
    ):  # they have none
        np.testing.assert_array_equal(*(np.load(run.path / "uncertainties.npy") for run in (whole, resumed)))


def test_run_folder_is_complete(make_config):
    folder = RunFolder(train(make_config()))
    files = """
        config.yaml results.csv results.png confusion_matrix.png reliability.png metrics.json report.html
        weights/best.keras weights/last.keras evaluation-test/predictions.csv evaluation-test-last/metrics.json
    """
    for name in files.split():
        assert (folder.path / name).stat().st_size > 0, name
    assert list(folder.tensorboard.rglob("events*"))
    metrics = json.loads(folder.metrics.read_text())
    assert metrics["splits"].keys() == {"validation", "test"}
    history = folder.load_state()["history"]
    best = max(history, key=lambda row: row["val_accuracy"])["val_accuracy"]
    assert metrics["splits"]["validation"]["best"]["accuracy"] == pytest.approx(best)
    assert metrics["splits"]["validation"]["last"]["accuracy"] == pytest.approx(history[-1]["val_accuracy"])


def test_folder_of_a_finished_or_another_run_is_kept(make_config):
    config = make_config(schedule={"epochs": 1})
    train(config)
    with pytest.raises(TrainingError, match=r"this run is finished.*--overwrite"):
        train(config)
    train(config, overwrite=True)
    RunFolder(f"{config.output_dir}/{config.name}").metrics.unlink()
    with pytest.raises(TrainingError, match="another configuration"):
        train(make_config(schedule={"epochs": 2}))
    with pytest.raises(TrainingError, match="holds an unfinished run"):
        train(config, resume=False)
    with pytest.raises(TrainingError, match="no run to resume"):
        train(make_config("new"), resume=True)


def test_early_stopping_and_no_validation(make_config):
    stopped = RunFolder(
        train(make_config("a", schedule={"epochs": 9, "learning_rate": 1e-9}, training={"early_stopping": 2}))
    )
    assert stopped.load_state()["epoch"] < 9
    blind = RunFolder(train(make_config("b", data={"validation_split": None}, schedule={"epochs": 1})))
    assert json.loads(blind.metrics.read_text())["splits"].keys() == {"test"}


def test_weights_are_learned_in_mixed_precision_too(make_config):
    folder = RunFolder(train(make_config(training={"mixed_precision": True}, schedule={"epochs": 1})))
    assert keras.config.dtype_policy().name == "float32"
    model = keras.models.load_model(folder.weights("last"), compile=False)
    assert model.backbone.get_layer("stem_conv").compute_dtype == "float16"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": {"name": "ldvla"}}, "unknown method 'ldvla'.*ldlva"),
        ({"method": {"name": "ldlva", "neighbours": 8}}, "method.neighbours: ldlva has no such option"),
        ({"training": {"monitor": "val_acc"}}, "training.monitor: 'val_acc' is not logged; logged: .*val_accuracy"),
        ({"data": {"neighbors": "neighbors-records-k5"}}, "no such sidecar.*neighbors-records-k3"),
        ({"data": {"train_split": "training"}}, "no split 'training'; it has: train, validation, test"),
        (
            {"data": {"noisy_labels": "noisy_labels-missing"}},
            "2 samples have no label, and ldlva learns from labels only",
        ),
        ({"data": {"neighbors": None}}, "set data.neighbors"),
        ({"training": {"devices": 64}}, "training.devices: 64 wanted"),
        ({"schedule": {"learning_rate": 1e30}}, "NaN or infinite; lower the learning rate"),
    ],
)
def test_mistakes_are_named(make_config, options, message):
    with pytest.raises(ValueError, match=message):
        train(make_config(**options))


def test_the_schedule_counts_the_steps_of_a_balanced_epoch(make_config):
    # 32 samples, but the flips leave six classes, of which the rarest has four: 24 samples, three steps an epoch.
    data = {"sampler": "balanced", "noisy_labels": "noisy_labels-test", "neighbors": None}
    run = RunFolder(train(make_config(method={"name": "cross_entropy"}, data=data, schedule={"epochs": 2})))
    rates = [epoch["learning_rate"] for epoch in load_history(run)]
    np.testing.assert_allclose(rates, [0.0005, 0.0], atol=1e-8)  # a cosine from 0.001, after its half and its end
