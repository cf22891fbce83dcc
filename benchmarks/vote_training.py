"""Ways to learn from annotators' votes on FER+: the schemes of its authors, PLL-FER and ambiguity distillation.

The authors' schemes drop votes that hardly anybody cast; `all_votes` is cross-entropy with the shares of all votes, as
the shipped model learns.

The same training images (all of Training but a tenth, which selects the epoch), network, augmentation, optimiser, rate
and number of epochs for all; three seeds. Judged on PublicTest: accuracy against the majority label, calibration error,
and the divergence of the predictions from all votes. Interrupted, it continues; a finished run is never repeated.

    fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus_original
    fer-tfrecords split data/ferplus_original --out data/ferplus --split Training --validation 0.1 --seed 0
    for rule in share mass positive; do fer-tfrecords add-candidates data/ferplus --split train --rule $rule; done
    python benchmarks/vote_training.py --jobs 2

``--plain`` compares majority labels with all votes where nothing keeps a network from learning its targets by heart:
images are mirrored and not cropped. Stored apart, as ``vote_training_plain``:

    python benchmarks/vote_training.py --plain --epochs 24 --runs runs/vote_plain --jobs 2
"""

from pathlib import Path

import yaml
from common import compare, comparison_parser, store

from fer_keras.files import write_text

CONFIGS = Path("configs")
SCHEMES = ("majority", "multi_target", "probability", "cross_entropy")
RAMPS = {"pll": 1.0, "ambiguity_distillation": 0.2}
"""Methods in which something rises over the first epochs, and over what share of them."""

SETTING = (
    "data.image_size=[32, 32]",
    "data.augmentation.pad_and_crop=2",
    "backbone.options.widths=[16, 32, 64, 96]",
    "schedule.learning_rate=0.002",
)
PLAIN = ("data.augmentation.pad_and_crop=0", "training.deterministic=false", "training.jit_compile=true")
MEASURES = ("accuracy", "ece", "kl")


def presets(runs: Path, epochs: int) -> list[Path]:
    """The experiment files, the baseline first; ramps are fitted to the number of epochs."""
    files = [CONFIGS / "votes" / f"ferplus_fer_mini_{scheme}.yaml" for scheme in SCHEMES]
    variants = {"all_votes": ("cross_entropy", {"data": {"targets": "votes"}})}
    variants |= {method: (method, {"method": {"ramp_epochs": share * epochs}}) for method, share in RAMPS.items()}
    for name, (method, changes) in variants.items():
        base = (CONFIGS / method / "ferplus_fer_mini.yaml").resolve()
        files.append(runs / "presets" / f"{name}.yaml")
        write_text(files[-1], yaml.safe_dump({"_base_": str(base), **changes}))
    return files


def main() -> None:
    parser = comparison_parser(__doc__, "runs/vote_training")
    parser.add_argument("--data", default="data/ferplus", help="record set with the three sidecars")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for all runs; not stored")
    parser.add_argument("--plain", action="store_true", help="majority labels and all votes, without random crops")
    arguments = parser.parse_args()
    files = presets(arguments.runs, arguments.epochs)
    if arguments.plain:
        files = [file for file in files if file.stem.endswith(("majority", "all_votes"))]
    settings = [f"data.directory={arguments.data}", f"schedule.epochs={arguments.epochs}", *SETTING]
    settings += [*(PLAIN if arguments.plain else ()), *arguments.set]
    # Ambiguity distillation and `all_votes` learn from the raw votes, without a sidecar.
    content = compare(files, arguments.runs, settings, arguments, "--differing=data.targets")
    for label, figures in content["summary"].items():
        print(label, *(f"{name} {figures[f'test_best_{name}']['mean']:.4f}" for name in MEASURES), sep="  ")
    if arguments.set:
        print("not stored: a trial with --set")
    else:
        name = "vote_training_plain" if arguments.plain else "vote_training"
        print(store(name, {"training_images": arguments.data, "epochs": arguments.epochs, **content}))


if __name__ == "__main__":
    main()
