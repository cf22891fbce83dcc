"""``fer-keras compare``: several experiments, the same data, backbone, schedule and seeds, one table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fer_keras.comparison.plan import Cell


def compare(
    configs: Annotated[
        list[Path],
        typer.Argument(metavar="CONFIG...", help="Experiment files; the first is the baseline.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of runs, table and figure.")],
    seeds: Annotated[str, typer.Option(help="Seeds, with commas.")] = "0,1,2",
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Override a key of every experiment; {seed} stands for the seed. May be repeated.",
        ),
    ] = None,
    differing: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="A key in which the experiments are meant to differ. May be repeated."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at the same time; they share the processors.")] = 1,
    features: Annotated[
        bool, typer.Option("--features", help="Also draw each method's features in the plane, by t-SNE (first seed).")
    ] = False,
    table_only: Annotated[
        bool, typer.Option("--table-only", help="Train nothing; show the runs that are finished.")
    ] = False,
) -> None:
    """Train several methods alike, with several seeds, and put them into one table.

    Refuses experiments that differ in more than their method. The best epoch of each run is chosen on the validation
    split. Interrupted, the same command goes on; a finished run is never run twice. Writes DIR/comparison.md,
    comparison.json (every run's figures) and curves.png, with --features also features.png.
    """
    import shlex

    from rich.console import Console

    from fer_keras.comparison.plan import ComparisonError, plan
    from fer_keras.comparison.runner import run_cells

    numbers = _numbers(seeds)
    console = Console()
    cells = plan(configs, numbers, out, overrides or [], differing or [])
    failed = {} if table_only else run_cells(cells, out, jobs, console)

    from fer_keras.comparison.comparison import Comparison
    from fer_keras.comparison.report import comparison_table, write_comparison

    comparison = Comparison.load(cells, out)
    if not comparison.rows:
        if failed:
            raise ComparisonError(f"every run failed; {next(iter(failed.values()))}")
        raise ComparisonError(f"{out}: no run is finished yet")
    options = [f"--set={value}" for value in overrides or []] + [f"--differing={key}" for key in differing or []]
    words = [*map(str, configs), "--out", str(out), "--seeds", seeds, *options]
    write_comparison(comparison, out, f"fer-keras compare {shlex.join(words)}")
    console.print(comparison_table(comparison, str(out)))
    if features:
        _draw_features([cell for cell in cells if cell.seed == numbers[0]], comparison.judged_on, out)
    if failed:
        names = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise ComparisonError(f"{len(failed)} of {len(cells)} runs failed: {names}")


def _draw_features(cells: "Sequence[Cell]", role: str, out: Path) -> None:
    from fer_keras.data.records import RecordSet
    from fer_keras.evaluation.feature_map import write_feature_map
    from fer_keras.inference.loading import load_classifier

    finished = [cell for cell in cells if (cell.folder / "metrics.json").is_file()]
    data = cells[0].config.data
    split = data.test_split if role == "test" else data.validation_split
    classifiers = {cell.label: load_classifier(cell.folder) for cell in finished}
    write_feature_map(classifiers, RecordSet.load(data.directory), split, out)


def _numbers(seeds: str) -> list[int]:
    try:
        numbers = [int(part) for part in seeds.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 0:
        raise typer.BadParameter(f"{seeds!r}: numbers with commas, like 0,1,2", param_hint="--seeds")
    return numbers
