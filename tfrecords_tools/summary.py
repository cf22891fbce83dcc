"""The table at the end of a conversion."""

from rich.console import Console
from rich.table import Table

from fer_keras.data.records import RecordSet
from tfrecords_tools.plan import QUARANTINE_FILE, Plan


def print_summary(console: Console, record_set: RecordSet, plan: Plan) -> None:
    """Prints, per split, how many rows were kept, quarantined, and left out by the protocol."""
    table = Table(title=f"{record_set.name} ({len(record_set.class_names)} classes) in {record_set.directory}")
    table.add_column("split")
    for title in ("kept", "quarantined", "left out", "shards", "MB"):
        table.add_column(title, justify="right")
    quarantined = plan.quarantined()
    for name in plan.splits():
        shards = record_set.splits[name].shards if name in record_set.splits else ()
        table.add_row(
            name,
            str(plan.kept.get(name, 0)),
            str(quarantined.get(name, 0)),
            str(sum(plan.left_out.get(name, {}).values())),
            str(len(shards)),
            f"{sum(shard.num_bytes for shard in shards) / 1e6:.1f}",
        )
    if "" in quarantined:
        table.add_row("(unknown)", "0", str(quarantined[""]), "0", "0", "0.0")
    console.print(table)
    for split, reasons in plan.left_out.items():
        for reason, count in reasons.items():
            console.print(f"left out of {split}: {count} ({reason})", markup=False, highlight=False)
    if plan.quarantine:
        file = record_set.directory / QUARANTINE_FILE
        console.print(f"quarantined rows and reasons: {file}", markup=False, highlight=False)
