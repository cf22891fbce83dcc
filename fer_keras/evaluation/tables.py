"""Tables of an evaluation for the terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from fer_keras.evaluation.summary import Metrics, metric_rows
from fer_keras.metrics.classification import ClassScores


def metrics_table(columns: Mapping[str, Metrics], title: str) -> Table:
    """A table of metrics.

    Args:
        columns: the metrics of each column by its heading.
        title: printed above.
    """
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    for heading in columns:
        table.add_column(heading, justify="right")
    for name, values in metric_rows(list(columns.values())):
        table.add_row(name, *values)
    return table


def per_class_table(scores: Sequence[ClassScores]) -> Table:
    """A table of precision, recall, F1 and support of every class; an undefined value is ``-``."""
    table = Table(title="per class", title_justify="left")
    table.add_column("class")
    for heading in ("precision", "recall", "F1", "support"):
        table.add_column(heading, justify="right")
    for row in scores:
        values = ("-" if value != value else f"{value:.2%}" for value in (row.precision, row.recall, row.f1))
        table.add_row(row.name, *values, f"{row.support:,}")
    return table
