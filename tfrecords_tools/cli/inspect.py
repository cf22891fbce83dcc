"""``fer-tfrecords inspect``: what is in a record set."""

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a PNG with some images of every class.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="The split shown on the contact sheet; default: the first of the set.")
    ] = None,
    per_class: Annotated[int, typer.Option(min=1, max=50, help="Images per class on the contact sheet.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of these images.")] = 0,
) -> None:
    """Show counts per class and split, image sizes, agreement of the votes, valence-arousal coverage and sidecars.

    Example: fer-tfrecords inspect data/ferplus --contact-sheet sheet.png --per-class 12
    """
    import functools

    from rich.console import Console

    from fer_keras.data.records import RecordSet
    from tfrecords_tools.contact_sheet import draw_contact_sheet, write_contact_sheet
    from tfrecords_tools.inspection import list_sidecars, split_statistics
    from tfrecords_tools.reading import progress_bar

    record_set = RecordSet.load(directory)
    shown = record_set.split(split or next(iter(record_set.splits))).name
    console = Console()
    with progress_bar(console) as progress:
        task = progress.add_task("reading", total=sum(part.num_examples for part in record_set.splits.values()))
        advance = functools.partial(progress.advance, task)
        statistics = [split_statistics(record_set, name, advance) for name in record_set.splits]
    _print_classes(console, record_set, statistics)
    _print_images(console, statistics)
    _print_sidecars(console, list_sidecars(record_set))
    if contact_sheet is not None:
        write_contact_sheet(draw_contact_sheet(record_set, shown, per_class, seed), contact_sheet)
        typer.echo(f"wrote {contact_sheet} (split {shown})")


def _table(title: str, *columns: str):
    from rich.table import Table

    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _print_classes(console, record_set, statistics) -> None:
    table = _table(f"{record_set.name}: samples per class", "class", *(split.name for split in statistics))
    for index, name in enumerate(record_set.class_names):
        cells = (f"{split.counts[index]:,} ({split.counts[index] / max(split.total, 1):.1%})" for split in statistics)
        table.add_row(name, *cells)
    if any(split.unlabelled for split in statistics):
        table.add_row("unlabelled", *(f"{split.unlabelled:,}" for split in statistics))
    table.add_section()
    table.add_row("all", *(f"{split.total:,}" for split in statistics))
    console.print(table)


def _print_images(console, statistics) -> None:
    columns = ("sizes", "formats", "votes", "vote entropy (nats)", "valence-arousal")
    table = _table("images and annotations", "split", *columns)
    for split in statistics:
        sizes = [f"{width}x{height}: {count:,}" for (width, height), count in list(split.sizes.items())[:3]]
        if len(split.sizes) > 3:
            sizes.append(f"{len(split.sizes) - 3:,} other sizes")
        total = max(split.total, 1)
        table.add_row(
            split.name,
            "\n".join(sizes),
            "\n".join(f"{name}: {count:,}" for name, count in split.formats.items()),
            f"{split.voted / total:.1%}",
            f"{split.entropy:.3f}" if split.voted else "-",
            f"{split.positioned / total:.1%}",
        )
    console.print(table)


def _print_sidecars(console, sidecars) -> None:
    if not sidecars:
        console.print("no sidecars")
        return
    table = _table("sidecars", "name", "split", "array", "current")
    for sidecar in sidecars:
        shape = "x".join(str(length) for length in sidecar.shape)
        table.add_row(
            sidecar.name, sidecar.split, f"{sidecar.dtype} {shape}", "yes" if sidecar.current else "NO, make again"
        )
    console.print(table)
