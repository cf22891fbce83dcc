"""Masked autoencoding against random weights: a linear probe, and fine-tuning, of the same Vision Transformer.

Pre-trains on the training images without their labels. Then, from the pre-trained and from random weights of the same
seed: logistic regression on the frozen features, averaged over the patches, of the clean training images; and
cross-entropy with ``fer-keras train``'s machinery, the same number of epochs. The strength of the regression's penalty
and the best epoch are chosen on the validation split; the test split is read once. Interrupted, it continues; a
finished run is never repeated.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus_8000 --split Training --validation 0.1 \\
        --train-size 8000
    python benchmarks/mae_probe.py --data data/ferplus_8000 --epochs 40 --tuning-epochs 12 \\
        --set 'backbone.options={patch_size: 6, depth: 6, width: 128, heads: 4}' 'data.image_size=[36, 36]'
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from common import store
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_keras.backbones import build_backbone
from fer_keras.config import Config, load_config
from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet
from fer_keras.pretraining import pretrain
from fer_keras.pretraining.pretrain import WEIGHTS_FILE
from fer_keras.training import train
from fer_keras.training.run_folder import RunFolder

CONFIGS = Path(__file__).parents[1] / "configs"
PRETRAINING = CONFIGS / "pretrain" / "ferplus_vit_tiny.yaml"
TUNING = CONFIGS / "cross_entropy" / "ferplus_fer_mini.yaml"
STARTS = ("random", "pretrained")
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class StepTime(keras.callbacks.Callback):
    """Seconds of training, validation not included, kept in a file over interruptions; and the steps they took."""

    def __init__(self, file: Path):
        super().__init__()
        self.file = file
        self.spent = json.loads(file.read_text()) if file.is_file() else {"seconds": 0.0, "steps": 0}

    def on_epoch_begin(self, epoch, logs=None):
        self.started, self.steps = None, 0

    def on_train_batch_end(self, batch, logs=None):
        if self.started is None:  # the first step of an epoch may trace the graph
            self.started = time.perf_counter()
        else:
            self.steps += 1
        self.last = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.spent["seconds"] += self.last - self.started
        self.spent["steps"] += self.steps
        self.file.write_text(json.dumps(self.spent))


def pretraining_config(arguments, seed: int) -> Config:
    """The preset with the budget of this benchmark."""
    return configuration(arguments, PRETRAINING, f"pretrain-seed{seed}", seed, arguments.epochs, arguments.set)


def tuning_config(arguments, start: str, seed: int) -> Config:
    """Cross-entropy on the backbone of the pre-training, from one of `STARTS`."""
    before = pretraining_config(arguments, seed)
    weights = f"{before.output_dir}/{before.name}/{WEIGHTS_FILE}" if start == "pretrained" else None
    overrides = [
        f"backbone={json.dumps({**before.backbone.model_dump(), 'weights': weights})}",
        f"data.image_size={json.dumps(before.data.image_size)}",
        f"data.test_split={arguments.test_split}",
        "schedule.optimizer=adamw",
        "schedule.weight_decay=0.05",
        "schedule.decay_biases=false",
        f"schedule.learning_rate={arguments.tuning_rate}",
        f"schedule.warmup_epochs={0.1 * arguments.tuning_epochs}",
        *arguments.set_tuning,
    ]
    return configuration(arguments, TUNING, f"tuned-{start}-seed{seed}", seed, arguments.tuning_epochs, overrides)


def configuration(arguments, file: Path, name: str, seed: int, epochs: int, overrides: list[str]) -> Config:
    """A preset with the name, seed, data and epochs of one run."""
    own = {"name": name, "seed": seed, "output_dir": arguments.runs, "data.directory": arguments.data}
    own |= {"schedule.epochs": epochs}
    return load_config(file, [*(f"{key}={value}" for key, value in own.items()), *overrides])


def run(config: Config, command) -> RunFolder:
    """Trains or pre-trains, unless it is done."""
    folder = RunFolder(f"{config.output_dir}/{config.name}")
    if not folder.finished:
        folder.path.mkdir(parents=True, exist_ok=True)
        command(config, console=Console(), callbacks=[StepTime(folder.path / "cost.json")])
        keras.utils.clear_session()
    return folder


def backbone_of(config: Config) -> keras.Model:
    """The backbone that a run starts from: the weights of its file, or the random ones of its seed."""
    keras.utils.set_random_seed(config.seed)
    section = config.backbone
    return build_backbone(section.name, config.data.image_size, section.weights, **section.options)


def features(backbone: keras.Model, record_set: RecordSet, split: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, V) averages over the patches, and (N,) labels, of the labelled images of a split."""
    dataset = evaluation_dataset(record_set, split, backbone.input_shape[1:3], 256)
    pooled, labels = [], []
    for x, y in dataset:
        pooled.append(np.asarray(backbone.predict_on_batch(x["image"])).mean((1, 2)))
        labels.append(y["label"].numpy())
    known = np.concatenate(labels) >= 0
    return np.concatenate(pooled)[known], np.concatenate(labels)[known]


def linear_probe(config: Config, test_split: str) -> dict:
    """Accuracy of logistic regression on the frozen features."""
    record_set, backbone = RecordSet.load(config.data.directory), backbone_of(config)
    splits = {
        name: features(backbone, record_set, name)
        for name in (config.data.train_split, config.data.validation_split, test_split)
    }
    training, validation, test = splits.values()
    fitted = {}
    for penalty in PENALTIES:
        fitted[penalty] = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=2000)).fit(*training)
    best = max(PENALTIES, key=lambda penalty: fitted[penalty].score(*validation))
    return {
        "C": best,
        "train": fitted[best].score(*training),
        "validation": fitted[best].score(*validation),
        "test": fitted[best].score(*test),
    }


def row(arguments, seed: int) -> dict:
    """Pre-trains, probes and tunes with one seed."""
    before = run(pretraining_config(arguments, seed), pretrain)
    found = {"seed": seed, "pretraining": {**cost(before), "history": before.load_state()["history"]}}
    for start in STARTS:
        config = tuning_config(arguments, start, seed)
        tuned = run(config, train)
        metrics = json.loads(tuned.metrics.read_text())
        accuracies = {
            f"{name}_{which}": metrics["splits"][split][which]["accuracy"]
            for name, split in (("validation", config.data.validation_split), ("test", arguments.test_split))
            for which in ("best", "last")
        }
        tuning = {**accuracies, "best_epoch": metrics["best_epoch"], **cost(tuned)}
        found[start] = {"probe": linear_probe(config, arguments.test_split), "tuning": tuning}
    return found


def cost(folder: RunFolder) -> dict:
    """Seconds of training steps, and of one of them."""
    spent = json.loads((folder.path / "cost.json").read_text())
    return {**spent, "seconds_per_step": spent["seconds"] / max(spent["steps"], 1)}


def summary(rows: list[dict]) -> dict:
    """Mean and standard error of the accuracies over the seeds."""
    content: dict = {}
    for start in STARTS:
        for kind, key in (("probe", "validation"), ("probe", "test"), ("tuning", "test_best"), ("tuning", "test_last")):
            values = np.array([r[start][kind][key] for r in rows])
            error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
            content.setdefault(start, {})[f"{kind}_{key}"] = {"mean": float(values.mean()), "standard_error": error}
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="record set with splits train and validation")
    parser.add_argument("--test-split", default="PublicTest")
    parser.add_argument("--epochs", type=int, default=60, help="of pre-training")
    parser.add_argument("--tuning-epochs", type=int, default=20)
    parser.add_argument("--tuning-rate", type=float, default=5e-4, help="learning rate of the tuning")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="overrides of the pre-training")
    parser.add_argument("--set-tuning", nargs="*", default=[], metavar="KEY=VALUE", help="overrides of the tuning")
    parser.add_argument("--runs", default="runs/mae_probe")
    parser.add_argument("--result", default="mae_probe", help="name of the file in benchmarks/results")
    arguments = parser.parse_args()
    rows = [row(arguments, seed) for seed in arguments.seeds]
    record_set = RecordSet.load(arguments.data)
    content = {
        "samples": {split: record_set.split(split).num_examples for split in record_set.splits},
        "pretraining": pretraining_config(arguments, arguments.seeds[0]).model_dump(mode="json"),
        "tuning": tuning_config(arguments, "pretrained", arguments.seeds[0]).model_dump(mode="json"),
        "summary": summary(rows),
        "rows": rows,
    }
    print(store(arguments.result, content))
    table = Table("start", *content["summary"]["random"], title="accuracy %, mean ± standard error over seeds")
    for start, cells in content["summary"].items():
        texts = []
        for cell in cells.values():
            error = cell["standard_error"]
            texts.append(f"{100 * cell['mean']:.2f}" + ("" if error is None else f" ± {100 * error:.2f}"))
        table.add_row(start, *texts)
    Console().print(table)


if __name__ == "__main__":
    main()
