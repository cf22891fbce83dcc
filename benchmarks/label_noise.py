"""LDLVA against cross-entropy on flipped labels: accuracy, and who finds the flips.

Trains cross-entropy, LDLVA with the neighbours' images and LDLVA with the memory bank on the same noisy labels,
with the same backbone, schedule and number of epochs, over several seeds (of weights, order and flips). The best
epoch is chosen on the validation split, whose labels are clean; test accuracy of every second epoch is recorded
for the figure only. Interrupted, it continues; a finished run is never repeated.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus_6000 --split Training --validation 0.1 \\
        --train-size 6000
    fer-tfrecords add-valence-arousal data/ferplus_6000 --source probabilities --probabilities pseudo_expression.csv
    for k in 4 8; do fer-tfrecords add-neighbors data/ferplus_6000 --valence-arousal pseudo_expression --k $k; done
    for seed in 0 1 2; do fer-tfrecords add-noise data/ferplus_6000 --rate 0.3 --seed $seed; done
    python benchmarks/label_noise.py --data data/ferplus_6000 --test-split PublicTest
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from common import RESULTS, store
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from fer_keras.config import Config, load_config
from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.sidecars import read_sidecar, read_stamp
from fer_keras.inference.loading import load_classifier
from fer_keras.metrics.detection import auroc
from fer_keras.training import train
from fer_keras.training.recorder import load_history
from fer_keras.training.run_folder import RunFolder

CONFIGS = Path(__file__).parents[1] / "configs"
METHODS = {
    "cross_entropy": CONFIGS / "cross_entropy" / "ferplus_fer_mini_noise30.yaml",
    "ldlva_bank": CONFIGS / "ldlva" / "ferplus_fer_mini_noise30_bank.yaml",
    "ldlva_images": CONFIGS / "ldlva" / "ferplus_fer_mini_noise30_images.yaml",
}
COLORS = {"cross_entropy": "#777777", "ldlva_bank": "#1b7837", "ldlva_images": "#762a83"}


class TestCurve(keras.callbacks.Callback):
    """Test accuracy after every second epoch, for the figure; nothing is selected by it."""

    def __init__(self, dataset, file: Path):
        super().__init__()
        self.dataset, self.file = dataset, file
        self.accuracy = json.loads(file.read_text()) if file.is_file() else {}

    def on_epoch_end(self, epoch, logs=None):
        if epoch % 2 == 0:
            return
        self.accuracy[str(epoch + 1)] = self.model.evaluate(self.dataset, verbose=0, return_dict=True)["accuracy"]
        self.file.write_text(json.dumps(self.accuracy))


def configuration(arguments, method: str, seed: int) -> Config:
    """The configuration of one run of the grid: a preset with its own seed of weights, order and flips."""
    overrides = {
        "name": f"{method}-seed{seed}",
        "seed": seed,
        "output_dir": arguments.runs,
        "data.directory": arguments.data,
        "data.test_split": arguments.test_split,
        "data.noisy_labels": f"noisy_labels-symmetric-0.3-seed{seed}",
        **dict(item.split("=", 1) for item in arguments.set),
    }
    return load_config(METHODS[method], [f"{key}={value}" for key, value in overrides.items()])


def run(arguments, method: str, seed: int, test) -> None:
    """Trains one cell of the grid, unless it is finished."""
    config = configuration(arguments, method, seed)
    folder = RunFolder(f"{config.output_dir}/{config.name}")
    if folder.finished:
        return
    folder.path.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    train(config, console=Console(), callbacks=[TestCurve(test, folder.path / "test_curve.json")])
    (folder.path / "cost.json").write_text(json.dumps({"seconds": time.perf_counter() - started}))
    keras.utils.clear_session()


def given_label_loss(folder: RunFolder, record_set: RecordSet, given: np.ndarray) -> np.ndarray:
    """The last model's cross-entropy with the given label of each training image, without augmentation."""
    classifier = load_classifier(folder.weights("last"))
    dataset = evaluation_dataset(record_set, "train", classifier.image_size, 256)
    probs = np.concatenate([classifier.predict_proba(x["image"].numpy()) for x, _ in dataset])
    return -np.log(probs[np.arange(len(given)), given] + 1e-10)


def row(arguments, method: str, seed: int, record_set: RecordSet, true: np.ndarray) -> dict:
    """The figures of one finished run."""
    config = configuration(arguments, method, seed)
    folder = RunFolder(f"{config.output_dir}/{config.name}")
    metrics = json.loads(folder.metrics.read_text())
    given = np.asarray(read_sidecar(record_set, "train", config.data.noisy_labels))
    uncertainty = np.load(folder.path / "uncertainties.npy")
    flipped = given != true
    return {
        "method": method,
        "seed": seed,
        "best_epoch": metrics["best_epoch"],
        "test_best": metrics["splits"][arguments.test_split]["best"]["accuracy"],
        "test_last": metrics["splits"][arguments.test_split]["last"]["accuracy"],
        "auroc": auroc(flipped, uncertainty),
        "auroc_last_loss": auroc(flipped, given_label_loss(folder, record_set, given)),
        "uncertainty_clean": float(uncertainty[~flipped].mean()),
        "uncertainty_flipped": float(uncertainty[flipped].mean()),
        "train_accuracy_last": load_history(folder)[-1]["accuracy"],
        "test_curve": json.loads((folder.path / "test_curve.json").read_text()),
        "config": config.model_dump(mode="json"),
        **json.loads((folder.path / "cost.json").read_text()),
    }


def summary(rows: list[dict]) -> dict:
    """Mean and standard error over the seeds."""
    content = {}
    for method in METHODS:
        own = [r for r in rows if r["method"] == method]
        content[method] = {}
        for key in ("test_best", "test_last", "auroc", "auroc_last_loss", "seconds"):
            values = np.array([r[key] for r in own])
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
            content[method][key] = {"mean": float(values.mean()), "standard_error": float(error)}
    return content


def draw(rows: list[dict], file: Path) -> None:
    """Test accuracy against epochs: one thin line a seed, a thick one for the mean."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for method, color in COLORS.items():
        own = [r["test_curve"] for r in rows if r["method"] == method]
        epochs = [int(epoch) for epoch in own[0]]
        curves = 100 * np.array([list(curve.values()) for curve in own])
        axes.plot(epochs, curves.T, color=color, linewidth=0.6, alpha=0.5)
        axes.plot(epochs, curves.mean(0), color=color, linewidth=2, label=method)
    axes.set_xlabel("epoch")
    axes.set_ylabel("test accuracy, %")
    axes.set_title("30 % of the training labels flipped")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(file, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="record set with splits train and validation")
    parser.add_argument("--test-split", default="PublicTest")
    parser.add_argument("--neighbors", default="neighbors-pseudo_expression-k8")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="train only these now")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="overrides of the presets")
    parser.add_argument("--runs", default="runs/label_noise")
    arguments = parser.parse_args()
    record_set = RecordSet.load(arguments.data)
    true = read_columns(record_set, "train", ["label"])["label"]
    test = evaluation_dataset(record_set, arguments.test_split, (48, 48), 256).cache()
    for seed in arguments.seeds:
        for method in arguments.methods:
            run(arguments, method, seed, test)
    if len(arguments.methods) < len(METHODS):
        return
    rows = [row(arguments, method, seed, record_set, true) for method in METHODS for seed in arguments.seeds]
    content = {
        "train_samples": len(true),
        "test_samples": record_set.split(arguments.test_split).num_examples,
        "neighbors": read_stamp(record_set, "train", arguments.neighbors),
        "summary": summary(rows),
        "rows": rows,
    }
    print(store("label_noise", content))
    draw(rows, RESULTS / "label_noise.png")
    table = Table(title="30 % symmetric label noise, mean ± standard error over seeds")
    for column in ("method", "test, best epoch", "test, last epoch", "AUROC of flips", "minutes"):
        table.add_column(column)
    for method, values in content["summary"].items():
        cells = [values[key] for key in ("test_best", "test_last", "auroc")]
        percent = [f"{100 * cell['mean']:.2f} ± {100 * cell['standard_error']:.2f}" for cell in cells]
        table.add_row(method, *percent, f"{values['seconds']['mean'] / 60:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
