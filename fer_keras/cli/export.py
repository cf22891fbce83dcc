"""``fer-keras export``: SavedModel, LiteRT, ONNX and OpenVINO files that answer as the trained model does."""

from pathlib import Path
from typing import Annotated

import typer

from fer_keras.cli.split_argument import split_of


def export(
    model: Annotated[Path, typer.Argument(metavar="RUN_OR_MODEL", help="Run folder or .keras file.")],
    out: Annotated[Path, typer.Option(help="The model's folder, such as saved_models/NAME.", show_default=False)],
    format: Annotated[
        str,
        typer.Option(
            help="Comma-separated: keras, saved_model, litert, onnx (extra onnx), openvino (extra openvino).",
        ),
    ] = "keras,saved_model,litert",
    precision: Annotated[
        str,
        typer.Option(help="Of litert, onnx and openvino, comma-separated: float32, float16, dynamic, int8."),
    ] = "float32,float16,int8",
    data: Annotated[
        Path | None, typer.Option(help="Record set to measure on; default: the run's data.directory.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Labelled split to measure on; default: the run's validation split.")
    ] = None,
    calibration_split: Annotated[
        str | None, typer.Option(help="Split that calibrates int8; default: the run's training split.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Records to measure on.")] = 2000,
    calibration_samples: Annotated[int, typer.Option(min=1, help="Records that calibrate int8.")] = 500,
    max_drop: Annotated[float, typer.Option(help="Accuracy an export may lose, in percentage points.")] = 0.5,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror",
            help="Answer with the mean over the image and its mirror image: more accurate, twice the time.",
        ),
    ] = False,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="DIR:SPLIT",
            help="Record set and split, used for nothing before, whose figures the model card shall have.",
        ),
    ] = None,
) -> None:
    """Exports a trained model. Each file is measured on labelled data; exit code 1 if one is rejected."""
    from fer_keras.console import print_error
    from fer_keras.export.exporter import export_data, export_model

    judged = None if test is None else split_of(test, "--test")
    sizes = {"samples": samples, "calibration_samples": calibration_samples}
    records = export_data(model, data, split, calibration_split, **sizes, test=judged)
    rows = export_model(model, out, records, _items(format), _items(precision), max_drop, mirror)
    for row in rows:
        if row.rejected:
            print_error(f"{out / row.file} rejected: {row.rejected}")
    if any(row.rejected for row in rows):
        raise typer.Exit(1)


def _items(text: str) -> list[str]:
    """The distinct items of a comma-separated list, in order."""
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))
