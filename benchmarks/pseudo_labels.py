"""What the runs of few_labels.py would take for pseudo-labels: how many, how right, and of which classes.

The last weights of every run with 400 labels look at the training images that it saw without their labels; what they
are at least 0.8 sure of (FixMatch's, Ada-CM's and LEAF's lowest threshold) is compared with the labels.

    python benchmarks/few_labels.py --labels 400
    python benchmarks/pseudo_labels.py
"""

import argparse
from pathlib import Path

import numpy as np
from common import store
from few_labels import METHODS

from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet
from fer_keras.data.sidecars import read_sidecar
from fer_keras.inference.loading import load_classifier

THRESHOLD = 0.8


def look(weights: Path, record_set: RecordSet, labelled: np.ndarray) -> dict:
    """Share, accuracy and classes of the sure predictions on images without a label."""
    classifier, probs, labels = load_classifier(weights), [], []
    for x, y in evaluation_dataset(record_set, "train", classifier.image_size, 256):
        probs.append(classifier.predict_proba(x["image"].numpy()))
        labels.append(y["label"].numpy())
    probs, labels = np.concatenate(probs)[~labelled], np.concatenate(labels)[~labelled]
    sure, said = probs.max(1) >= THRESHOLD, probs.argmax(1)
    size = len(record_set.class_names)
    return {
        "accuracy": float(np.mean(said == labels)),
        "sure": float(sure.mean()),
        "accuracy_of_sure": float(np.mean(said[sure] == labels[sure])),
        "classes_of_sure": (np.bincount(said[sure], minlength=size) / sure.sum()).tolist(),
        "classes": (np.bincount(labels, minlength=size) / len(labels)).tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data/ferplus")
    parser.add_argument("--runs", type=Path, default=Path("runs/few_labels/400/runs"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    record_set, found = RecordSet.load(arguments.data), {}
    for method in METHODS:
        for seed in arguments.seeds:
            labelled = np.asarray(read_sidecar(record_set, "train", f"labelled-400-seed{seed}")) != 0
            weights = arguments.runs / method / f"seed{seed}" / "weights" / "last.keras"
            found.setdefault(method, []).append(look(weights, record_set, labelled))
        means = {name: np.mean([row[name] for row in found[method]], axis=0).round(3) for name in found[method][0]}
        print(method, means)
    print(store("pseudo_labels", {"classes": list(record_set.class_names), "threshold": THRESHOLD, "methods": found}))


if __name__ == "__main__":
    main()
