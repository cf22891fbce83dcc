"""Images per second in training: cross-entropy, LDLVA with the memory bank, LDLVA with the neighbours' images.

All in one process, in turns, on the real input pipeline with its default augmentation; the first steps of each turn
are left out. The figures to quote are the ratios: a machine's speed drifts, and the turns drift with it.

    python benchmarks/training_throughput.py --data data/ferplus_6000
"""

import argparse
import time

import keras
import numpy as np
from common import store
from rich.console import Console
from rich.table import Table

from fer_keras import methods
from fer_keras.backbones import build_backbone
from fer_keras.data.augmentation import Augmentation
from fer_keras.data.pipeline import training_dataset
from fer_keras.data.records import RecordSet
from fer_keras.training.inputs import load_neighbors

CASES = {
    "cross_entropy": ("cross_entropy", {}),
    "ldlva_bank": ("ldlva", {"neighbor_mode": "bank"}),
    "ldlva_images": ("ldlva", {"neighbor_mode": "images"}),
}


class StepClock(keras.callbacks.Callback):
    """Seconds from the end of step `skip` to the end of the last step."""

    def __init__(self, skip: int):
        super().__init__()
        self.skip, self.ends = skip, []

    def on_train_begin(self, logs=None):
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append(time.perf_counter())

    @property
    def seconds_per_step(self) -> float:
        return (self.ends[-1] - self.ends[self.skip]) / (len(self.ends) - 1 - self.skip)


def prepare(arguments, case: str, record_set: RecordSet):
    """A compiled method and its dataset."""
    name, options = CASES[case]
    neighbors = load_neighbors(record_set, "train", arguments.neighbors) if name == "ldlva" else None
    dataset, _ = training_dataset(
        record_set, "train", (48, 48), arguments.batch_size, epochs=10_000, seed=0,
        augmentation=Augmentation(horizontal_flip=True, pad_and_crop=4, seed=0),
        neighbors=neighbors, neighbor_images=options.get("neighbor_mode") == "images",
    )  # fmt: skip
    samples = record_set.split("train").num_examples
    model = methods.get(name)(
        build_backbone("fer_mini", (48, 48)), record_set.class_names, num_samples=samples, **options
    )
    model.compile(keras.optimizers.Adam(1e-3))
    return model, dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--neighbors", default="neighbors-pseudo_expression-k8")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    record_set = RecordSet.load(arguments.data)
    prepared = {case: prepare(arguments, case, record_set) for case in CASES}
    skip, clock = 5, StepClock(5)
    rates: dict[str, list[float]] = {case: [] for case in CASES}
    for turn in range(arguments.rounds + 1):
        for case, (model, dataset) in prepared.items():
            steps = arguments.steps + skip
            model.fit(dataset, steps_per_epoch=steps, callbacks=[clock], shuffle=False, verbose=0)
            if turn:  # the first turn traces the graphs
                rates[case].append(arguments.batch_size / clock.seconds_per_step)
    reference = np.array(rates["cross_entropy"])
    content = {
        "batch_size": arguments.batch_size,
        "neighbors": arguments.neighbors,
        "images_per_second": {case: {"median": float(np.median(r)), "rounds": r} for case, r in rates.items()},
        "ratio_to_cross_entropy": {case: float(np.median(np.array(r) / reference)) for case, r in rates.items()},
    }
    print(store("training_throughput", content))
    table = Table("method", "images/s (median)", "ratio to cross-entropy", title="training, batch 64, 48 px, fer_mini")
    for case in CASES:
        rate, ratio = content["images_per_second"][case]["median"], content["ratio_to_cross_entropy"][case]
        table.add_row(case, f"{rate:.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
