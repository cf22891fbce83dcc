"""``fer-tfrecords add-valence-arousal``: positions in valence-arousal space as a sidecar."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_TEACHER_PREFIX = "teacher_probs-"


class Source(StrEnum):
    """Where positions come from."""

    records = "records"
    probabilities = "probabilities"
    teacher = "teacher"


def add_valence_arousal(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    source: Annotated[
        Source,
        typer.Option(
            help="records: annotated values; probabilities: a csv of an independent expression model; "
            "teacher: out-of-fold probabilities in a sidecar."
        ),
    ],
    split: Annotated[str, typer.Option(help="The split.")] = "train",
    probabilities: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The csv (or .csv.gz); with --source teacher, the sidecar's name."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Writes valence_arousal-NAME; default: the csv's stem, `records`, or `teacher-...`."),
    ] = None,
) -> None:
    """Place every sample in valence-arousal space, without looking at its label.

    Probabilities become the probability-weighted position on the circumplex of affect. The csv's header names
    emotions in any order; its rows are joined by a `source` column, or else row 123 (counted from 0, header not
    counted) belongs to the record whose source ends in `:123`.

    Example: fer-tfrecords add-valence-arousal data/ferplus --split train --source probabilities
    --probabilities fer2013/pseudo_expression.csv
    """
    if source is not Source.records and probabilities is None:
        raise typer.BadParameter(f"--source {source} needs --probabilities", param_hint="--probabilities")
    if source is Source.records and probabilities is not None:
        raise typer.BadParameter("--source records reads no file", param_hint="--probabilities")
    if name is not None and Path(name).name != name:
        raise typer.BadParameter("a name, not a path", param_hint="--name")

    import numpy as np

    from fer_keras.data.records import RecordSet
    from fer_keras.data.sidecars import read_stamp, write_sidecar
    from fer_keras.data.valence_arousal import from_probabilities, from_records, from_teacher

    record_set = RecordSet.load(directory)
    provenance: dict = {"source": source.value}
    if source is Source.records:
        positions, default = from_records(record_set, split), "records"
    elif source is Source.teacher:
        positions = from_teacher(record_set, split, probabilities)
        default = f"teacher-{probabilities.removeprefix(_TEACHER_PREFIX)}"
        provenance |= {"probabilities": probabilities, "teacher": read_stamp(record_set, split, probabilities)}
    else:
        positions = from_probabilities(record_set, split, probabilities)
        default = Path(probabilities).name.removesuffix(".gz").removesuffix(".csv")
        provenance["probabilities"] = Path(probabilities).name
    missing = int(np.isnan(positions).any(axis=1).sum())
    sidecar = f"valence_arousal-{name or default}"
    path = write_sidecar(record_set, split, sidecar, positions, missing=missing, **provenance)
    valence, arousal = np.nanmean(positions, axis=0)
    typer.echo(f"{len(positions) - missing:,} samples placed, {missing:,} without a position (NaN)")
    typer.echo(f"mean valence {valence:+.3f}, mean arousal {arousal:+.3f}")
    typer.echo(f"wrote {path}")
