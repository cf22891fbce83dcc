"""``fer-tfrecords add-label-sources``: labels of several sources as one sidecar."""

from pathlib import Path
from typing import Annotated

import typer

_REPEATS = "it repeats their labels and is no source of its own"


def add_label_sources(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="The sidecar becomes label_sources-NAME.")],
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="Repeat it: records (their own labels), votes (the class with the most), or the name of a sidecar "
            "of labels or of a model's class probabilities.",
        ),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(metavar="MODEL", help="Repeat it: a run folder or model file, whose predictions are a source."),
    ] = None,
    split: Annotated[str, typer.Option(help="The split.")] = "train",
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time, with --model.")] = 256,
) -> None:
    """Put the labels that several sources give the same samples side by side.

    Writes `label_sources-NAME` (samples x sources, -1 where a source has no label), for methods that learn how each
    source errs; name it in the configuration as `data.label_sources`. The columns are the sources in the order given,
    then the models. Prints how often the sources agree.

    Example: fer-tfrecords add-label-sources data/ferplus --name two --source records --source teacher_probs-folds5
    """
    if "/" in name or not name:
        raise typer.BadParameter(f"{name!r}: a name, not a path", param_hint="--name")
    if not source and not model:
        raise typer.BadParameter("give at least one --source or --model", param_hint="--source")

    import numpy as np

    from fer_keras.data.label_sources import gather_label_sources, predicted_labels
    from fer_keras.data.records import RecordSet
    from fer_keras.data.sidecars import write_sidecar
    from tfrecords_tools.cli.running import run_model

    record_set = RecordSet.load(directory)
    columns = [gather_label_sources(record_set, split, source)] if source else []
    names, models = list(source or []), []
    for path in model or []:
        labels, made = run_model(predicted_labels, record_set, split, path, batch_size, _REPEATS)
        columns.append(labels[:, None])
        names.append(made["name"])
        models.append(made)
    labels = np.concatenate(columns, axis=1)
    path = write_sidecar(record_set, split, f"label_sources-{name}", labels, sources=names, models=models)
    _print_agreement(names, labels)
    typer.echo(f"wrote {path}")


def _print_agreement(sources: list[str], labels) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="how often two sources give the same label")
    for column in ("source", "labels", *sources):
        table.add_column(column, justify="left" if column == "source" else "right")
    known = labels >= 0
    for row, name in enumerate(sources):
        cells = []
        for other in range(len(sources)):
            both = known[:, row] & known[:, other]
            equal = labels[both, row] == labels[both, other]
            cells.append(f"{equal.mean():.1%}" if both.any() else "-")
        table.add_row(name, f"{known[:, row].sum():,}", *cells)
    Console().print(table)
