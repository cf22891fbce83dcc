"""``fer-tfrecords add-neighbors``: nearest neighbours in valence-arousal space as sidecars."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fer_keras.data.neighbors import Agreement

_POSITIONS_PREFIX = "valence_arousal-"


def add_neighbors(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    valence_arousal: Annotated[
        str, typer.Option(metavar="NAME", help="The positions: a sidecar valence_arousal-NAME (or just NAME).")
    ],
    split: Annotated[str, typer.Option(help="The split.")] = "train",
    k: Annotated[int, typer.Option("--k", min=1, max=32, help="Neighbours per sample.")] = 8,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="SIDECAR",
            help="The labels that the run will be given (noisy_labels-...), for the agreement table; "
            "the records' labels then count as the true ones.",
        ),
    ] = None,
) -> None:
    """Find the K nearest neighbours of every sample in valence-arousal space, exactly.

    Writes `neighbors-NAME-kK` (ids) and `neighbor_differences-NAME-kK` (valence and arousal of the neighbour minus
    those of the sample; infinite where there is no neighbour). Prints how often neighbours share a label, against
    chance: LDLVA learns from that difference. Labels are used for this table only.

    Example: fer-tfrecords add-neighbors data/ferplus --split train --valence-arousal pseudo_expression --k 8
    """
    import dataclasses

    import numpy as np

    from fer_keras.data.neighbors import label_agreement, nearest_neighbors
    from fer_keras.data.records import RecordSet, read_columns
    from fer_keras.data.sidecars import read_sidecar, write_sidecar

    record_set = RecordSet.load(directory)
    source = valence_arousal.removeprefix(_POSITIONS_PREFIX)
    positions = read_sidecar(record_set, split, f"{_POSITIONS_PREFIX}{source}")
    given = {"given": read_sidecar(record_set, split, labels)} if labels else {}
    recorded = {"true" if labels else "given": read_columns(record_set, split, ["label"])["label"]}
    neighbors, differences = nearest_neighbors(positions, k)
    agreements = {of: label_agreement(neighbors, differences, values) for of, values in {**given, **recorded}.items()}
    missing = int(np.isinf(differences[:, 0]).any(axis=1).sum())
    provenance = {
        "valence_arousal": f"{_POSITIONS_PREFIX}{source}",
        "k": k,
        "without_neighbors": missing,
        "labels": labels,
        "agreement": {of: dataclasses.asdict(agreement) for of, agreement in agreements.items()},
    }
    for kind, array in (("neighbors", neighbors), ("neighbor_differences", differences)):
        path = write_sidecar(record_set, split, f"{kind}-{source}-k{k}", array, **provenance)
        typer.echo(f"wrote {path}")
    if missing:
        typer.echo(f"{missing:,} samples have no neighbours (no valence and arousal)")
    _print_agreement(agreements)


def _print_agreement(agreements: "dict[str, Agreement]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="how often neighbours share a label")
    for column in ("label", "agreement", "chance", "ratio"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for of, agreement in agreements.items():
        ratio = agreement.rate / agreement.chance if agreement.chance else float("nan")
        table.add_row(of, f"{agreement.rate:.1%}", f"{agreement.chance:.1%}", f"{ratio:.2f}")
    Console().print(table)
    # Where the true labels are known they decide: noise lowers the agreement of given labels by itself.
    if not agreements.get("true", agreements["given"]).informative:
        typer.secho(
            "warning: neighbours carry almost no information about the label: LDLVA has nothing to learn from",
            fg=typer.colors.YELLOW,
            err=True,
        )
