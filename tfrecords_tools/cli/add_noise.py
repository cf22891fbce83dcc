"""``fer-tfrecords add-noise``: synthetic label noise as a sidecar."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """Where flipped labels go."""

    symmetric = "symmetric"
    class_dependent = "class-dependent"


def add_noise(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    split: Annotated[str, typer.Option(help="The split whose labels are flipped.")] = "train",
    rate: Annotated[
        float | None,
        typer.Option(help="Fraction of labels to flip, 0 to 1. Left out with --transition: the matrix says how many."),
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="symmetric: to any other class; class-dependent: to the class it is confused with.")
    ] = Kind.symmetric,
    transition: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Class-dependent noise from your own matrix (csv or YAML) P(given | true)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the flips.")] = 0,
) -> None:
    """Flip labels at random, so that every method trains on the same wrong labels.

    Writes the sidecar `noisy_labels-KIND-RATE-seedSEED` (with --transition, KIND is the file's stem); name it in the
    configuration as `data.noisy_labels`. The records keep the true labels. The number of flips is exact.

    Example: fer-tfrecords add-noise data/ferplus --split train --rate 0.3 --kind symmetric --seed 0

    A transition file in YAML, what is left out stays in its class: fear: {surprise: 0.3, sadness: 0.1}
    """
    if transition is not None:
        kind = Kind.class_dependent
    elif rate is None:
        raise typer.BadParameter("give the fraction of labels to flip, for example --rate 0.3", param_hint="--rate")

    from fer_keras.data.noise import class_dependent_noise, count_flips, measured_rate, noise_name, symmetric_noise
    from fer_keras.data.records import RecordSet, read_columns
    from fer_keras.data.sidecars import write_sidecar
    from fer_keras.data.transition import default_transition, read_transition

    record_set = RecordSet.load(directory)
    names = record_set.class_names
    labels = read_columns(record_set, split, ["label"])["label"]
    provenance: dict = {"kind": kind.value, "rate": rate, "seed": seed}
    if kind is Kind.symmetric:
        noisy = symmetric_noise(labels, rate, len(names), seed)
    else:
        matrix = read_transition(transition, names) if transition else default_transition(names)
        noisy = class_dependent_noise(labels, matrix, seed, rate)
        provenance["transition"] = matrix.tolist()
    counts = count_flips(labels, noisy, len(names))
    measured = measured_rate(counts)
    provenance |= {"measured_rate": measured, "flips": counts.tolist()}
    name = noise_name(transition.stem if transition else kind.value, round(measured, 3) if rate is None else rate, seed)
    path = write_sidecar(record_set, split, name, noisy, **provenance)
    _print_flips(names, counts)
    typer.echo(f"flipped {counts.sum() - counts.trace():,} of {counts.sum():,} labels: measured rate {measured:.4f}")
    typer.echo(f"wrote {path}")


def _print_flips(names: tuple[str, ...], counts) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="samples of each true class (rows) by the label they are given")
    for column in ("true", *names, "flipped"):
        table.add_column(column, justify="left" if column == "true" else "right")
    for row, name in enumerate(names):
        total = counts[row].sum()
        flipped = f"{1 - counts[row, row] / total:.1%}" if total else "-"
        table.add_row(name, *(f"{count:,}" for count in counts[row]), flipped)
    Console().print(table)
