"""``fer-keras import-weights``: weights of PyTorch or Keras as a file for ``backbone.weights``."""

from pathlib import Path
from typing import Annotated

import typer

from fer_keras.cli.split_argument import split_of


def import_weights(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="PyTorch state dict (.pth, .pt, .bin, .tar) or Keras file (.keras, .h5): a backbone, or a model "
            "around it; or a TensorFlow.js graph model (.json) of mobilenet.",
            show_default=False,
        ),
    ],
    backbone: Annotated[str, typer.Option(metavar="NAME", help="Backbone that they are for.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="File to write, *.weights.h5; a note FILE.json beside it.", show_default=False
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Argument of the backbone's builder, e.g. alpha=0.35; may be repeated."),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What stands before the backbone's names in the file; default: found."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Names (* and ?) that the file may hold unused; may be repeated."),
    ] = None,
    statistics: Annotated[
        str | None,
        typer.Option(
            metavar="DIR:SPLIT",
            help="Record set and split whose faces BatchNorm takes its mean and variance from, outputs unchanged; for "
            "a file that has lost them, like a TensorFlow.js graph. Default: what the file has.",
        ),
    ] = None,
    image_size: Annotated[
        int, typer.Option(min=8, metavar="N", help="Side of the images of --statistics, in pixels.")
    ] = 224,
    samples: Annotated[int, typer.Option(min=1, metavar="N", help="Images of --statistics.")] = 1024,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Make a weights file for backbone.weights of one that PyTorch or Keras wrote, and note where it is from.

    Every parameter of the backbone must be in the file, in its shape; a classifier in it is left out.
    """
    from rich.console import Console

    from fer_keras.backbones.weights.importing import import_weights as import_file

    options = _options(option or [])
    faces = None if statistics is None else _faces(statistics, image_size, samples)
    report = import_file(
        file, backbone, out, options=options, prefix=prefix, ignore=ignore or [], faces=faces, overwrite=overwrite
    )
    Console().print(report.table())


def _faces(statistics: str, side: int, samples: int):
    """(N, side, side, 3) uint8 images of ``DIR:SPLIT``."""
    from fer_keras.data.records import RecordSet
    from fer_keras.data.samples import read_samples

    directory, split = split_of(statistics, "--statistics")
    images, _ = read_samples(RecordSet.load(directory), split, (side, side), samples)
    return images


def _options(assignments: list[str]) -> dict:
    from fer_keras.config.yaml_text import read_yaml

    options = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not key or not equals:
            raise typer.BadParameter(
                f"{assignment}: should be KEY=VALUE, for example alpha=0.35", param_hint="--option"
            )
        options[key] = read_yaml(text)
    return options
