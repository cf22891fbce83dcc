"""``fer-keras predict``: expressions of the faces in pictures, videos and what a camera sees."""

import sys
from pathlib import Path
from typing import Annotated

import typer

SHIPPED = Path("saved_models/fer_mini_ferplus/model.tflite")


def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Image files, folders of images, video files, quoted patterns such as 'faces/*.png' or 'clips/*.mp4', "
            "or the number of a camera.",
        ),
    ],
    model: Annotated[
        Path,
        typer.Option(
            help="Run folder, SavedModel folder, or .keras, .tflite, .onnx or .xml file; the default lies in a clone."
        ),
    ] = SHIPPED,
    detector: Annotated[
        str, typer.Option(help="mtcnn-runtime, mtcnn, or none: every picture is one cropped face.")
    ] = "mtcnn-runtime",
    format: Annotated[str, typer.Option(help="table, jsonl or csv.")] = "table",
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if not given.")] = None,
    annotate: Annotated[
        Path | None, typer.Option(help="Folder for copies of pictures and videos with boxes and bars drawn in.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Classes shown per face in the table and in drawings.")] = 3,
    every: Annotated[int, typer.Option(min=1, help="Of videos, look at every so manieth frame only.")] = 1,
    min_face: Annotated[
        int | None,
        typer.Option(
            min=20, help="Smallest face in pixels; default: 3 % of the picture's shorter side.", show_default=False
        ),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out faces that the detector is less sure of.")
    ] = 0.9,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures and faces per step.")] = 16,
) -> None:
    """Finds faces, aligns them as the model's training crops were, and classifies them.

    A picture without a face is no error; exit code 1 if a picture could not be read (the rest is done). Ctrl-C ends
    a recording, and what it has so far is kept.
    """
    from fer_keras.console import print_error
    from fer_keras.faces.detectors import build_detector
    from fer_keras.inference.classifier import ModelLoadError
    from fer_keras.inference.image_files import expand_inputs
    from fer_keras.inference.predictor import Predictor
    from fer_keras.inference.report import FORMATS, write_predictions, write_predictions_file
    from fer_keras.inference.session import predict_inputs
    from fer_keras.inference.video import is_video

    if format not in FORMATS:
        raise typer.BadParameter(f"{format!r} is not one of: {', '.join(FORMATS)}", param_hint="--format")
    if model == SHIPPED and not model.is_file():
        raise ModelLoadError(
            f"{SHIPPED}: no such file here; the default model is found inside a clone of the repository only: "
            "go there, or give a model with --model"
        )
    predictor = Predictor(model, batch_size, build_detector(detector, min_face, min_confidence))
    files = expand_inputs(inputs)
    predictions = predict_inputs(predictor, files, annotate, top, every)
    classifier, faces = predictor.classifier, predictor.detector is not None or any(map(is_video, files))
    options = (format, classifier.class_names, top, classifier.has_valence_arousal, faces)
    if out is None:
        failures = write_predictions(predictions, sys.stdout, *options)
    else:
        failures = write_predictions_file(predictions, out, *options)
    if failures:
        print_error(f"{failures} {'files' if failures > 1 else 'file'} could not be read")
        raise typer.Exit(1)
