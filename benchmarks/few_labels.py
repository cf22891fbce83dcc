"""FixMatch, Ada-CM and LEAF against plain training on the same few labels of FER+.

100, 400 and 2,000 labels in the proportions of the classes, all other training images without labels; `fer_mini` from
random weights, the same number of steps and labelled images for all; three seeds of labels, weights and order. The
last line to compare with is cross-entropy with all labels, in as many steps. The best epoch is chosen on the validation
split. Interrupted, it continues; a finished run is never repeated.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus --split Training --validation 0.1 --seed 0
    for n in 100 400 2000; do for seed in 0 1 2; do
        fer-tfrecords add-labelled-subset data/ferplus --split train --labels $n --seed $seed; done; done
    python benchmarks/few_labels.py --jobs 2
"""

from pathlib import Path

from common import compare, comparison_parser, store

CONFIGS = Path("configs")
METHODS = ("cross_entropy", "fixmatch", "ada_cm", "leaf")
LABELS = (100, 400, 2000)
SETTING = (
    "backbone.options.widths=[16, 32, 64, 96]",
    "data.image_size=[32, 32]",
    "data.unlabelled.batch_size=32",
    "data.steps_per_epoch=80",
    "schedule.epochs=8",
    "schedule.learning_rate=0.002",
)


def main() -> None:
    parser = comparison_parser(__doc__, "runs/few_labels")
    parser.add_argument("--labels", type=int, nargs="+", default=LABELS, help="numbers of labels, in the order of work")
    arguments = parser.parse_args()
    configs = [CONFIGS / method / "ferplus_fer_mini_400_labels.yaml" for method in METHODS]
    results = {
        str(count): compare(
            configs, arguments.runs / str(count), [*SETTING, f"data.labelled=labelled-{count}-seed{{seed}}"], arguments
        )
        for count in arguments.labels
    }
    results["all"] = compare(configs[:1], arguments.runs / "all", [*SETTING, "data.labelled=null"], arguments)
    print(store("few_labels", {"labels": results}))


if __name__ == "__main__":
    main()
