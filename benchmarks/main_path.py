"""The whole path on the real FER+ files, command by command: wall time, peak memory, accuracy, exports.

Converts, verifies, splits, derives valence-arousal and neighbours, trains LDLVA with its preset, evaluates on
PublicTest (with and without the images that also occur in training) and exports. The best epoch is chosen on a
validation split cut from Training; PublicTest is read at the end.

    python benchmarks/main_path.py --source fer2013 --work data/main_path
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from common import store
from rich.console import Console
from rich.table import Table

CONFIG = Path(__file__).parents[1] / "configs" / "ldlva" / "ferplus_fer_mini.yaml"
NAME = "main_path"


def commands(source: Path, work: Path, runs: Path, epochs: int | None) -> dict[str, list]:
    """Every command of the path, by a short name."""
    original, records, run, leakage = work / "ferplus_original", work / "ferplus", runs / NAME, work / "leakage.csv"
    few = [] if epochs is None else ["--epochs", epochs]
    return {
        "convert": [
            "fer-tfrecords", "ferplus", "--images", source / "fer2013.csv.gz", "--votes", source / "fer2013new.csv",
            "--out", original,
        ],
        "split": [
            "fer-tfrecords", "split", original, "--out", records, "--split", "Training", "--validation", 0.1,
            "--seed", 0,
        ],
        "verify": ["fer-tfrecords", "verify", records, "--leakage", leakage],
        "valence-arousal": [
            "fer-tfrecords", "add-valence-arousal", records, "--source", "probabilities",
            "--probabilities", source / "pseudo_expression.csv",
        ],
        "neighbors": ["fer-tfrecords", "add-neighbors", records, "--valence-arousal", "pseudo_expression", "--k", 8],
        "train": [
            "fer-keras", "train", "--config", CONFIG, "--data", records, "--name", NAME,
            "--set", f"output_dir={runs}", *few,
        ],
        "evaluate": [
            "fer-keras", "evaluate", run, "--data", records, "--split", "PublicTest", "--exclude", leakage,
        ],
        "export": ["fer-keras", "export", run, "--out", work / "exported"],
    }  # fmt: skip


def timed(command: list) -> dict:
    """Runs a command of this environment; wall seconds and peak memory of its process."""
    argv = [str(Path(sys.executable).parent / command[0]), *map(str, command[1:])]
    started = time.perf_counter()
    process = subprocess.Popen(argv)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return {"seconds": time.perf_counter() - started, "peak_memory_mib": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="folder of the three csv files")
    parser.add_argument("--work", type=Path, required=True, help="folder for record sets and exports; new")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--epochs", type=int, help="another number of epochs than the preset's")
    arguments = parser.parse_args()
    steps = commands(arguments.source, arguments.work, arguments.runs, arguments.epochs)
    cost = {name: timed(command) for name, command in steps.items()}
    run = arguments.runs / NAME
    metrics = json.loads((run / "metrics.json").read_text())
    evaluation = json.loads((run / "evaluation-PublicTest" / "metrics.json").read_text())
    content = {
        "cost": cost,
        "best_epoch": metrics["best_epoch"],
        "epochs": metrics["epochs"],
        "splits": metrics["splits"],
        "public_test": evaluation["metrics"],
        "public_test_without_leakage": evaluation["metrics_without_excluded"],
        "left_out_as_leakage": evaluation["excluded"],
        "exports": json.loads((arguments.work / "exported" / "export.json").read_text()),
    }
    print(store("main_path", content))
    table = Table("step", "wall s", "peak MiB", title="FER+, the main path")
    for name, figures in cost.items():
        table.add_row(name, f"{figures['seconds']:.1f}", f"{figures['peak_memory_mib']:.0f}")
    Console().print(table)
    accuracy, strict = (content[key]["accuracy"] for key in ("public_test", "public_test_without_leakage"))
    print(f"PublicTest {100 * accuracy:.2f} %, without the leaked images {100 * strict:.2f} %")


if __name__ == "__main__":
    main()
