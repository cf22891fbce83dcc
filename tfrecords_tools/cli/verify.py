"""``fer-tfrecords verify``: is a record set sound, and do its splits share images?"""

from pathlib import Path
from typing import Annotated

import typer


def verify(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    strict: Annotated[bool, typer.Option("--strict", help="Identical images are an error, too.")] = False,
    leakage: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The list of identical images; default DIR/leakage.csv.")
    ] = None,
) -> None:
    """Check every byte, record and image of a record set, and report images that occur more than once.

    Broken are: changed or missing shards, records with a wrong CRC or schema, gaps in sample_id, values out of range,
    a class list that differs between files. Exit code 1 if something is broken. Identical images (compared pixel by
    pixel) within or across splits are a warning; they are listed in leakage.csv, one line per record.

    Example: fer-tfrecords verify data/ferplus
    """
    import functools

    from rich.console import Console

    from fer_keras.data.records import RecordSet, RecordSetError
    from tfrecords_tools.reading import progress_bar
    from tfrecords_tools.verification import verify as verify_record_set

    record_set = RecordSet.load(directory)
    console = Console()
    with progress_bar(console) as progress:
        task = progress.add_task("verifying", total=sum(split.num_examples for split in record_set.splits.values()))
        found = verify_record_set(record_set, functools.partial(progress.advance, task))
    for problem in found.problems:
        console.print(f"broken: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
    _print_leakage(console, found.leakage)
    if found.leakage.groups:
        file = leakage or directory / "leakage.csv"
        found.leakage.write(file)
        typer.echo(f"identical images: {file}")
    if found.problems:
        raise RecordSetError(f"{directory}: {len(found.problems)} problems found; convert the data set again")
    if strict and found.leakage.groups:
        raise RecordSetError(f"{directory}: {len(found.leakage.groups)} images occur more than once (--strict)")
    typer.echo(f"{directory}: {found.records:,} records are sound")


def _print_leakage(console, report) -> None:
    for split, count in report.within().items():
        console.print(f"warning: {split}: {count:,} records repeat an image of the same split", style="yellow")
    for (first, second), (in_first, in_second) in report.shared().items():
        console.print(
            f"warning: {in_second:,} records of {second} show an image that is also in {first} ({in_first:,} records)",
            style="yellow",
        )
    if report.conflicting():
        console.print(f"warning: {report.conflicting():,} repeated images have more than one label", style="yellow")
