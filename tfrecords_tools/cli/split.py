"""``fer-tfrecords split``: a validation split cut from the training split."""

from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared


def split(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set to divide; it is left as it is.")],
    out: shared.Out,
    validation: Annotated[float, typer.Option(help="Fraction of each class that goes to validation, for example 0.1.")],
    split_name: Annotated[str, typer.Option("--split", help="The split to divide.")] = "train",
    train_size: Annotated[
        int | None, typer.Option(min=1, help="Keep only a stratified subset of this many training samples.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another choice.")] = 0,
    num_shards: shared.NumShards = None,
    overwrite: shared.Overwrite = False,
    workers: shared.Workers = None,
) -> None:
    """Cut a stratified validation split from a training split, into a new record set.

    The new set has the splits `train` and `validation`, and every other split as it was. Which side a sample is on
    depends on its pixels and the seed alone; pixel-identical images are always on the same side. Select models on
    `validation`, and read test data once, at the end.

    Example: fer-tfrecords split data/ferplus --out data/ferplus_split --split Training --validation 0.1 --seed 0
    """
    from rich.console import Console

    from fer_keras.data.records import RecordSet
    from tfrecords_tools.splitting import SplitRecordSet

    record_set = RecordSet.load(directory)
    if out.resolve() == directory.resolve():
        raise typer.BadParameter("write the divided set to another folder", param_hint="--out")
    source = SplitRecordSet(record_set, split_name, validation, train_size, seed, Console())
    shared.convert(source, out, num_shards=num_shards, overwrite=overwrite, workers=workers)
