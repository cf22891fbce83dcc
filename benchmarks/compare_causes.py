"""Why a method stays below cross-entropy on FER+ (`compare_methods.py`): what its paper has and that setting lacks.

``warm``: RUL and EAC, and cross-entropy beside them, start from the network that cross-entropy made of the same images
before; their papers start from networks that know faces. ``eac``: lower weights of its consistency, which was chosen
for such networks. ``ada_df``: class distributions from a second pass over the images in the place of ``online``. Data,
setting and seeds as there, whose clean cross-entropy runs are taken over.

    python benchmarks/compare_methods.py --jobs 2
    python benchmarks/compare_causes.py --jobs 2
"""

import json
from pathlib import Path

from common import compare, comparison_parser, run_command, store
from compare_methods import CONFIGS, SETTING

WARM_METHODS = ("cross_entropy", "rul", "eac")
EAC = {"eac_0.05": {"consistency_weight": 0.05}, "eac_0.5": {"consistency_weight": 0.5}}  # the paper's weight is 5
ADA_DF = {"ada_df_extra_clean": {"class_distributions": "extra_clean"}}


def warm_weights(arguments) -> str:
    """Backbone weights of the clean cross-entropy runs, one file a seed."""
    pattern = str(arguments.runs / "weights" / "seed{seed}.weights.h5")
    for seed in arguments.seeds.split(","):
        file = Path(pattern.format(seed=seed))
        trained = arguments.runs / "clean" / "runs" / "cross_entropy" / f"seed{seed}" / "weights" / "best.keras"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            widths = next(key for key in SETTING if "widths" in key).removeprefix("backbone.options.")
            run_command(
                "import-weights", str(trained), "--backbone", "fer_mini", "--option", widths, "--out", str(file)
            )
    return pattern


def variant_configs(arguments, baseline: str, method: str, variants: dict[str, dict]) -> list[Path]:
    """A method with other options, as experiment files of their own, after a baseline."""
    files = [CONFIGS / baseline / "ferplus_fer_mini.yaml"]
    for name, options in variants.items():
        base = str((CONFIGS / method / "ferplus_fer_mini.yaml").resolve())
        files.append(arguments.runs / "configs" / f"{name}.yaml")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_text(json.dumps({"_base_": base, "name": name, "method": options}))
    return files


def main() -> None:
    arguments = comparison_parser(__doc__, "runs/compare_methods").parse_args()
    warm = [CONFIGS / method / "ferplus_fer_mini.yaml" for method in WARM_METHODS]
    weights = f"backbone.weights={warm_weights(arguments)}"
    eac = variant_configs(arguments, "cross_entropy", "eac", EAC)
    ada_df = variant_configs(arguments, "ada_df", "ada_df", ADA_DF)
    results = {
        "warm": compare(warm, arguments.runs / "warm", [*SETTING, weights], arguments),
        "eac": compare(eac, arguments.runs / "clean", SETTING, arguments),  # where the cross-entropy runs are already
        "ada_df": compare(ada_df, arguments.runs / "ada_df", SETTING, arguments),
    }
    print(store("compare_causes", {"training_images": 8000, "conditions": results}))


if __name__ == "__main__":
    main()
