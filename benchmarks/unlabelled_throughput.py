"""Whether the pipeline of unlabelled images keeps up with the training step: two weak views and a strong one of each.

The presets of FixMatch, Ada-CM and LEAF on FER+ with 400 labels, all in one process, in turns: the pipeline alone, the
step alone on one batch that stays in memory, and both together, as ``fit`` runs them. The figures to quote are the
shares: what the pipeline alone takes of what the step alone takes, and how much longer both take than the step alone.

    fer-tfrecords add-labelled-subset data/ferplus --split train --labels 400 --seed 0
    python benchmarks/unlabelled_throughput.py --data data/ferplus
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from common import store
from rich.console import Console
from rich.table import Table

from fer_keras.config import load_config
from fer_keras.training.inputs import build_inputs
from fer_keras.training.schedule import build_optimizer
from fer_keras.training.trainer import build_method

CONFIGS = Path(__file__).parents[1] / "configs"
METHODS = ("fixmatch", "ada_cm", "leaf")
WARM_UP = 4
"""Steps before the clock starts: they trace the graph, and empty what was prepared while the clock stood."""


def milliseconds(run, steps: int) -> float:
    """Time of one call of `run`, on average over `steps`."""
    for _ in range(WARM_UP):
        run()
    start = time.perf_counter()
    for _ in range(steps):
        run()
    return 1000 * (time.perf_counter() - start) / steps


class Case:
    """One preset, ready to be timed."""

    def __init__(self, name: str, data: str, image_size: int):
        overrides = [f"data.directory={data}", f"data.image_size=[{image_size}, {image_size}]"]
        config = load_config(CONFIGS / name / "ferplus_fer_mini_400_labels.yaml", overrides)
        self.inputs = build_inputs(config)
        self.model = build_method(config, self.inputs.record_set)
        self.model.compile(build_optimizer(config.schedule, self.inputs.steps_per_epoch))
        self.step = tf.function(self.model.train_step, reduce_retracing=True)
        self.batch = next(iter(self.inputs.training))
        self.images = sum(int(self.batch[0][key].shape[0]) for key in ("image", "weak_a", "weak_b", "strong"))

    def measure(self, steps: int) -> dict[str, float]:
        """Milliseconds of pipeline, step, and both."""
        batches = iter(self.inputs.training)
        pipeline = milliseconds(lambda: next(batches), steps)
        return {
            "pipeline": pipeline,
            "step": milliseconds(lambda: self.step(self.batch), steps),
            "both": milliseconds(lambda: self.step(next(batches)), steps),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="data/ferplus", help="record set with the sidecar labelled-400-seed0")
    parser.add_argument("--image-size", type=int, default=48)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cases = {name: Case(name, arguments.data, arguments.image_size) for name in METHODS}
    rounds = {name: [] for name in METHODS}
    for _ in range(arguments.rounds):
        for name, case in cases.items():
            rounds[name].append(case.measure(arguments.steps))
    content = {"image_size": arguments.image_size, "load_average": round(os.getloadavg()[0], 2), "methods": {}}
    table = Table("method", "pipeline / step", "both / step", "images/s", title="unlabelled streams (medians)")
    for name, case in cases.items():
        figures = {
            "images_per_step": case.images,
            "milliseconds": {key: float(np.median([r[key] for r in rounds[name]])) for key in rounds[name][0]},
            "pipeline_to_step": float(np.median([r["pipeline"] / r["step"] for r in rounds[name]])),
            "both_to_step": float(np.median([r["both"] / r["step"] for r in rounds[name]])),
            "rounds": rounds[name],
        }
        content["methods"][name] = figures
        rate = 1000 * case.images / figures["milliseconds"]["both"]
        table.add_row(name, f"{figures['pipeline_to_step']:.2f}", f"{figures['both_to_step']:.2f}", f"{rate:,.0f}")
    print(store("unlabelled_throughput", content))
    Console().print(table)


if __name__ == "__main__":
    main()
