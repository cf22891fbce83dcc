"""The supervised methods against cross-entropy on FER+, clean and with 30 % of the labels flipped.

The same 8,000 training images, network, augmentation (mirroring), optimiser, rate and number of epochs for all; three
seeds of weights, order and flips. The best epoch is chosen on the validation split, whose labels are clean. Nothing
was tuned for this comparison. Interrupted, it continues; a finished run is never repeated.

Further conditions look for the reason where a method stays below cross-entropy: ``warm`` starts RUL and EAC, and
cross-entropy beside them, from the network that cross-entropy made of the same images before (their papers start from
networks that know faces); ``variants`` lowers the weight of EAC's consistency, which was chosen for such networks, and
takes Ada-DF's class distributions from a second pass over the images in the place of ``online``.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus_8000 --split Training --validation 0.1 \\
        --train-size 8000 --seed 0
    fer-tfrecords add-valence-arousal data/ferplus_8000 --split train --source probabilities \\
        --probabilities pseudo_expression.csv
    fer-tfrecords add-neighbors data/ferplus_8000 --split train --valence-arousal pseudo_expression --k 8
    for seed in 0 1 2; do fer-tfrecords add-noise data/ferplus_8000 --split train --rate 0.3 --seed $seed; done
    python benchmarks/compare_methods.py --jobs 2
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from common import store

CONFIGS = Path("configs")
METHODS = ("cross_entropy", "scn", "rul", "eac", "ada_df", "ldlva")
FOR_NOISE = {"eac": "ferplus_fer_mini_noise30.yaml", "ldlva": "ferplus_fer_mini_noise30_bank.yaml"}
CONDITIONS = {
    "clean": [CONFIGS / method / "ferplus_fer_mini.yaml" for method in METHODS],
    "noise30": [CONFIGS / method / FOR_NOISE.get(method, "ferplus_fer_mini.yaml") for method in METHODS],
}
SETTING = (
    "data.directory=data/ferplus_8000",
    "data.augmentation.pad_and_crop=0",
    "backbone.options.widths=[16, 32, 64, 96]",
    "schedule.epochs=16",
    "schedule.learning_rate=0.002",
)
NOISE = "data.noisy_labels=noisy_labels-symmetric-0.3-seed{seed}"
WARM_METHODS = ("cross_entropy", "rul", "eac")
VARIANTS = {
    "eac_0.05": ("eac", {"consistency_weight": 0.05}),  # the paper's is 5
    "eac_0.5": ("eac", {"consistency_weight": 0.5}),
    "ada_df_extra_clean": ("ada_df", {"class_distributions": "extra_clean"}),
}


def compare(configs: list[Path], out: Path, settings: list[str], arguments) -> dict:
    """``fer-keras compare``; returns what it stored."""
    words = [*map(str, configs), "--out", str(out), "--seeds", arguments.seeds, "--jobs", arguments.jobs]
    run("compare", *words, *(f"--set={setting}" for setting in (*SETTING, *settings)))
    return json.loads((out / "comparison.json").read_text())


def run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "fer_keras.cli.main", *words], check=True)


def warm_weights(arguments) -> str:
    """Backbone weights of the clean cross-entropy runs, one file a seed."""
    pattern = str(arguments.runs / "weights" / "seed{seed}.weights.h5")
    for seed in arguments.seeds.split(","):
        file = Path(pattern.format(seed=seed))
        trained = arguments.runs / "clean" / "runs" / "cross_entropy" / f"seed{seed}" / "weights" / "best.keras"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            widths = SETTING[2].partition(".options.")[2]
            run("import-weights", str(trained), "--backbone", "fer_mini", "--option", widths, "--out", str(file))
    return pattern


def variant_configs(arguments) -> list[Path]:
    """Methods with other options, as experiment files of their own, after cross-entropy."""
    files = [CONFIGS / "cross_entropy" / "ferplus_fer_mini.yaml"]
    for name, (method, options) in VARIANTS.items():
        base = (CONFIGS / method / "ferplus_fer_mini.yaml").resolve()
        files.append(arguments.runs / "configs" / f"{name}.yaml")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        content = {"_base_": os.path.relpath(base, files[-1].parent.resolve()), "name": name, "method": options}
        files[-1].write_text(json.dumps(content))
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/compare_methods"))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--jobs", default="1", help="runs at the same time")
    arguments = parser.parse_args()
    results = {
        name: compare(configs, arguments.runs / name, [NOISE] if name == "noise30" else [], arguments)
        for name, configs in CONDITIONS.items()
    }
    warm = [CONFIGS / method / "ferplus_fer_mini.yaml" for method in WARM_METHODS]
    weights = f"backbone.weights={warm_weights(arguments)}"
    results["warm"] = compare(warm, arguments.runs / "warm", [weights], arguments)
    # In the folder of "clean", which has the cross-entropy runs already.
    results["variants"] = compare(variant_configs(arguments), arguments.runs / "clean", [], arguments)
    print(store("compare_methods", {"training_images": 8000, "conditions": results}))


if __name__ == "__main__":
    main()
