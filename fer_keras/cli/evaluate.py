"""``fer-keras evaluate``: how good a model is on a split of a record set."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="Run folder, SavedModel folder, or .keras, .tflite, .onnx or .xml file.",
            show_default=False,
        ),
    ],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The record set.", show_default=False)],
    split: Annotated[str, typer.Option(metavar="NAME", help="The split to evaluate on.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the files go.",
            show_default="RUN/evaluation-NAME (on another record set than the run's: RUN/evaluation-SET-NAME), or "
            "beside the model's file",
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 256,
    exclude: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="csv whose column sample_id or source lists samples; the metrics without them are given as well. "
            "The leakage.csv of `fer-tfrecords verify` can be given as it is.",
        ),
    ] = None,
    features: Annotated[
        bool, typer.Option("--features", help="Also draw the features of up to 1,000 images in the plane, by t-SNE.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON instead of tables.")] = False,
) -> None:
    """Measure a model: accuracy, calibration, and how well it predicts label distributions.

    Prints tables and writes metrics.json, per_class.csv, predictions.csv, confusion_matrix.png and reliability.png.
    A run is judged by the views it was trained with (data.ten_crop); its report.html is brought up to date.
    """
    from rich.console import Console

    from fer_keras.data.records import RecordSet
    from fer_keras.evaluation import evaluate as evaluate_split
    from fer_keras.evaluation.exclusion import excluded_samples
    from fer_keras.evaluation.report import write_report
    from fer_keras.evaluation.run_folder import evaluation_folder, run_folder
    from fer_keras.inference.loading import load_as_judged, load_classifier

    messages = Console(stderr=True)
    record_set = RecordSet.load(data)
    record_set.split(split)  # a wrong name is told before the model is loaded
    classifier = load_as_judged(model)
    evaluation = evaluate_split(
        classifier, record_set, split, batch_size, console=messages if messages.is_terminal else None
    )
    without = evaluation.keep(~excluded_samples(exclude, evaluation)) if exclude else None
    folder = out or evaluation_folder(model, split if _learned_from(model, data) else f"{data.resolve().name}-{split}")
    evaluation.write(folder, without)
    if features:
        from fer_keras.evaluation.feature_map import write_feature_map

        write_feature_map({model.name: load_classifier(model)}, record_set, split, folder)
    if json:
        from json import dumps

        typer.echo(dumps(evaluation.to_dict(without), indent=1))
    else:
        evaluation.print(Console(), without)
    messages.print(f"wrote {folder}", soft_wrap=True, markup=False, highlight=False)
    run = run_folder(model)
    if out is None and run is not None:
        messages.print(f"wrote {write_report(run)}", soft_wrap=True, markup=False, highlight=False)


def _learned_from(model: Path, data: Path) -> bool:
    """Whether a record set is the (first) one of the model's run; true for models without a run."""
    from fer_keras.config import load_config
    from fer_keras.evaluation.run_folder import run_folder

    run = run_folder(model)
    if run is None or not (run / "config.yaml").is_file():
        return True
    return Path(load_config(run / "config.yaml").data.directory).resolve() == data.resolve()
