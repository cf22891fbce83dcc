"""The recipe of the shipped model, learning from majority labels and from the votes, until it has learnt all it can.

`vote_training.py` compares more ways to learn from votes, over few epochs. Here two of them have the 50 epochs, 48
pixels and the augmentation of `configs/cross_entropy/ferplus_all_fer_mini.yaml`, on the 22,555 training images that
have a majority label; and the recipe itself learns from the votes of the 25,704 that show a face. The best epoch is
chosen on each run's validation split; on PublicTest it and the last one are judged once. Interrupted, it continues; a
finished run is never repeated. An hour a run.

The record sets are made as `configs/cross_entropy/ferplus_all_fer_mini.yaml` and `vote_training.py` say. Then:

    python benchmarks/vote_training_long.py
"""

import argparse
import json
from pathlib import Path

import yaml
from common import run_command, store

from fer_keras.files import write_text
from fer_keras.training.run_folder import RunFolder

RECIPE = Path("configs/cross_entropy/ferplus_all_fer_mini.yaml")
DATA, SPLIT = "data/ferplus", "PublicTest"
TARGETS = {"majority": "labels", "votes": "votes"}
MEASURES = ("accuracy", "balanced_accuracy", "ece", "nll", "kl")


def preset(runs: Path, name: str, targets: str) -> Path:
    """The recipe on the images that have a majority label."""
    file = runs / "presets" / f"{name}.yaml"
    changes = {"name": name, "output_dir": str(runs), "data": {"directory": DATA, "targets": targets}}
    write_text(file, yaml.safe_dump({"_base_": str(RECIPE.resolve()), **changes}))
    return file


def judged(run: RunFolder, weights: str, out: Path) -> dict[str, float]:
    """The measures of a run's best or last epoch on the test split."""
    run_command("evaluate", str(run.weights(weights)), "--data", DATA, "--split", SPLIT, "--out", str(out))
    metrics = json.loads((out / "metrics.json").read_text())["metrics"]
    return {name: metrics[name] for name in MEASURES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/full_length"))
    runs = parser.parse_args().runs
    configs = {name: preset(runs, name, targets) for name, targets in TARGETS.items()}
    folders = {name: RunFolder(runs / name) for name in TARGETS}
    configs["votes of all images"], folders["votes of all images"] = RECIPE, RunFolder("runs/fer_mini_ferplus")
    results = {}
    for name, config in configs.items():
        if not folders[name].finished:
            run_command("train", "--config", str(config))
        best = json.loads(folders[name].metrics.read_text())["best_epoch"]
        results[name] = {"best_epoch": best}
        for weights in ("best", "last"):
            results[name][weights] = judged(folders[name], weights, runs / f"evaluation-{name}-{weights}")
            print(name, weights, *(f"{key} {value:.4f}" for key, value in results[name][weights].items()), sep="  ")
    print(store("vote_training_long", {"judged_on": f"{DATA}:{SPLIT}", "results": results}))


if __name__ == "__main__":
    main()
