"""The supervised methods against cross-entropy on FER+, clean and with 30 % of the labels flipped.

The same 8,000 training images, network, augmentation (mirroring), optimiser, rate and number of epochs for all; three
seeds of weights, order and flips. The best epoch is chosen on the validation split, whose labels are clean. Nothing
was tuned for this comparison. Interrupted, it continues; a finished run is never repeated.

Why a method stays below cross-entropy: `compare_causes.py`.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus_8000 --split Training --validation 0.1 \\
        --train-size 8000 --seed 0
    fer-tfrecords add-valence-arousal data/ferplus_8000 --split train --source probabilities \\
        --probabilities pseudo_expression.csv
    fer-tfrecords add-neighbors data/ferplus_8000 --split train --valence-arousal pseudo_expression --k 8
    for seed in 0 1 2; do fer-tfrecords add-noise data/ferplus_8000 --split train --rate 0.3 --seed $seed; done
    python benchmarks/compare_methods.py --jobs 2
"""

from pathlib import Path

from common import compare, comparison_parser, store

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


def main() -> None:
    arguments = comparison_parser(__doc__, "runs/compare_methods").parse_args()
    results = {
        name: compare(configs, arguments.runs / name, [*SETTING, *([NOISE] if name == "noise30" else [])], arguments)
        for name, configs in CONDITIONS.items()
    }
    print(store("compare_methods", {"training_images": 8000, "conditions": results}))


if __name__ == "__main__":
    main()
