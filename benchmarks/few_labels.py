"""FixMatch, Ada-CM and LEAF against plain training on the same few labels of FER+.

100, 400 and 2,000 labels in the proportions of the classes, all other training images without labels; `fer_mini`, half
as wide as usual and on 32-pixel images, the same number of steps and labelled images for all; three seeds of labels and
order. All start from a network that has learnt where an expression network trained elsewhere places the training images
in valence and arousal (`pseudo_expression.csv`; no label of FER+): the papers start from networks that know faces, and
from random weights hardly a pseudo-label is sure after so few steps. Every method is judged by an average of its
weights. The last line to compare with is cross-entropy with all labels, in as many steps. The best epoch is chosen on
the validation split. Interrupted, it continues; a finished run is never repeated.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus --split Training --validation 0.1 --seed 0
    for split in train validation PublicTest; do fer-tfrecords add-valence-arousal data/ferplus --split $split \\
        --source probabilities --probabilities pseudo_expression.csv; done
    fer-keras train --config configs/cross_entropy/ferplus_fer_mini.yaml --name positions --epochs 8 \\
        --set method.name=valence_arousal --set method.expression_weight=0 \\
        --set data.valence_arousal=valence_arousal-pseudo_expression --set training.monitor=val_ccc \\
        --set 'data.image_size=[32, 32]' --set data.augmentation.pad_and_crop=3 --set schedule.learning_rate=0.003 \\
        --set 'backbone.options.widths=[16, 32, 64, 96]' --set training.ema=0.99
    fer-keras import-weights runs/positions/weights/best.keras --backbone fer_mini --option 'widths=[16,32,64,96]' \\
        --out weights/fer_mini_positions.weights.h5
    for n in 100 400 2000; do for seed in 0 1 2; do
        fer-tfrecords add-labelled-subset data/ferplus --split train --labels $n --seed $seed; done; done
    python benchmarks/few_labels.py --jobs 2
"""

import argparse
from pathlib import Path

from common import compare, comparison_parser, store

CONFIGS = Path("configs")
METHODS = ("cross_entropy", "fixmatch", "ada_cm", "leaf")
LABELS = (100, 400, 2000)
SETTING = (
    "backbone.weights=weights/fer_mini_positions.weights.h5",
    "backbone.options.widths=[16, 32, 64, 96]",
    "data.image_size=[32, 32]",
    "data.batch_size=16",
    "data.unlabelled.batch_size=48",
    "data.steps_per_epoch=80",
    "schedule.epochs=8",
    "schedule.learning_rate=0.0005",
)

AVERAGED = "--differing=training.ema"
"""The semi-supervised methods keep the average of the weights themselves, cross-entropy leaves it to the optimizer."""


def main() -> None:
    parser = comparison_parser(__doc__, "runs/few_labels")
    parser.add_argument("--labels", type=int, nargs="+", default=LABELS, help="numbers of labels, in the order of work")
    parser.add_argument("--all-labels", action=argparse.BooleanOptionalAction, default=True, help="the last line too")
    arguments = parser.parse_args()
    configs = [CONFIGS / method / "ferplus_fer_mini_400_labels.yaml" for method in METHODS]
    results = {
        str(count): compare(
            configs,
            arguments.runs / str(count),
            [*SETTING, f"data.labelled=labelled-{count}-seed{{seed}}"],
            arguments,
            AVERAGED,
        )
        for count in arguments.labels
    }
    if arguments.all_labels:
        results["all"] = compare(configs[:1], arguments.runs / "all", [*SETTING, "data.labelled=null"], arguments)
    print(store("few_labels", {"labels": results}))


if __name__ == "__main__":
    main()
