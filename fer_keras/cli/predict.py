"""``fer-keras predict``: expressions of cropped faces."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def predict(
    images: Annotated[
        list[str], typer.Argument(help="Image files, folders, or quoted patterns such as 'faces/*.png'.")
    ],
    model: Annotated[
        Path,
        typer.Option(help="Run folder, SavedModel folder, or .keras, .tflite, .onnx or .xml file.", show_default=False),
    ],
    format: Annotated[str, typer.Option(help="table, jsonl or csv.")] = "table",
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Classes shown per image in the table.")] = 3,
    batch_size: Annotated[int, typer.Option(min=1, help="Images per step.")] = 64,
) -> None:
    """Classifies images of cropped faces. Exit code 1 if an image could not be read (the rest is done)."""
    from rich.console import Console
    from rich.progress import track

    from fer_keras.console import print_error
    from fer_keras.inference.image_files import expand_inputs
    from fer_keras.inference.predictor import Predictor
    from fer_keras.inference.report import FORMATS, write_predictions, write_predictions_file

    if format not in FORMATS:
        raise typer.BadParameter(f"{format!r} is not one of: {', '.join(FORMATS)}", param_hint="--format")
    predictor = Predictor(model, batch_size)
    files = expand_inputs(images)
    console = Console(stderr=True)
    progress = track(
        predictor.predict_iter(files),
        description="predict",
        total=len(files),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    options = (format, predictor.classifier.class_names, top, predictor.classifier.has_valence_arousal)
    if out is None:
        failures = write_predictions(progress, sys.stdout, *options)
    else:
        failures = write_predictions_file(progress, out, *options)
    if failures:
        print_error(f"{failures} of {len(files)} images could not be read")
        raise typer.Exit(1)
