"""``fer-tfrecords add-labelled-subset``: which few samples keep their labels, as a sidecar."""

from pathlib import Path
from typing import Annotated

import typer


def add_labelled_subset(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    split: Annotated[str, typer.Option(help="The split whose labels are hidden.")] = "train",
    labels: Annotated[
        int | None, typer.Option(min=1, help="Labels that are kept, in the proportions of the classes.")
    ] = None,
    labels_per_class: Annotated[int | None, typer.Option(min=1, help="Labels of every class that are kept.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
) -> None:
    """Keep a few labels and hide the rest, for learning from unlabelled images.

    Writes the sidecar `labelled-N-seedSEED` (or `labelled-N_per_class-seedSEED`); name it in the configuration as
    `data.labelled`. The records keep all labels. An image with the same pixels as a labelled one is left out, so that
    none is seen both with and without its label.

    Example: fer-tfrecords add-labelled-subset data/ferplus --split train --labels 400 --seed 0
    """
    if (labels is None) == (labels_per_class is None):
        raise typer.BadParameter("give one of --labels and --labels-per-class", param_hint="--labels")

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from fer_keras.data.labelled_subset import LABELLED, LEFT_OUT, labelled_subset, subset_name
    from fer_keras.data.records import RecordSet, read_columns
    from fer_keras.data.sidecars import write_sidecar
    from tfrecords_tools.pixels import identical_groups, pixel_hashes

    record_set = RecordSet.load(directory)
    columns = read_columns(record_set, split, ["label", "image"])
    messages = Console(stderr=True)
    with Progress(console=messages, disable=not messages.is_terminal, transient=True) as progress:
        task = progress.add_task("comparing images", total=len(columns["image"]))
        hashes = pixel_hashes(columns["image"], lambda count: progress.advance(task, count))
    twins = identical_groups(enumerate(hashes))
    given = columns["label"]
    subset = labelled_subset(
        given, record_set.class_names, total=labels, per_class=labels_per_class, twins=twins, seed=seed
    )
    name = subset_name(labels, labels_per_class, seed)
    path = write_sidecar(record_set, split, name, subset, labels=labels, labels_per_class=labels_per_class, seed=seed)
    table = Table(title=f"samples of {split}")
    for column in ("class", "labelled", "all"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for index, class_name in enumerate(record_set.class_names):
        own = given == index
        table.add_row(class_name, f"{(subset[own] == LABELLED).sum():,}", f"{own.sum():,}")
    Console().print(table)
    typer.echo(f"left out {(subset == LEFT_OUT).sum():,} with the same pixels as a labelled image")
    typer.echo(f"wrote {path}")
