"""The parity gate: an exported file is kept only if it answers as the trained model does."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from fer_keras.emotions import require_same_classes
from fer_keras.inference.classifier import Classifier
from fer_keras.inference.model_files import model_files

MAX_DROP = 0.5
"""Accuracy that an export may lose, in percentage points."""

MAX_DIFFERENCE = 1e-3
"""Largest change of any probability that a float32 export may show."""

MAX_DIFFERENCE_FROM_HALF = 0.05
"""The same where the trained model itself computes in half precision and the export in float32."""

MAX_POSITION_ERROR = 0.05
"""Mean change of valence or arousal that an export of less than float32 may show: 2.5 % of their range."""


@dataclasses.dataclass(frozen=True)
class Parity:
    """An exported model measured against the trained one, on the same labelled records.

    Args:
        file: name of the file or folder.
        precision: of the export: float32, float16, dynamic or int8.
        accuracy: share of records whose label is the most probable class, 0..1.
        drop: accuracy lost against the trained model, in percentage points (negative: gained).
        max_difference: largest ``|p_exported - p_trained|`` over all records and classes.
        mean_difference: its mean.
        size: bytes on disk.
        rejected: why the export is refused, or None.
        position_difference: mean ``|v_exported - v_trained|`` over all records, valence and arousal; None if the
            model does not predict them.
        latency_p50, latency_p95: milliseconds for one image on one thread (`fer_keras.export.latency`);
            None where they were not timed.
        two_threads_p50, two_threads_p95: the same on two threads.
    """

    file: str
    precision: str
    accuracy: float
    drop: float
    max_difference: float
    mean_difference: float
    size: int
    rejected: str | None = None
    position_difference: float | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None
    two_threads_p50: float | None = None
    two_threads_p95: float | None = None


def measure_parity(
    exported: Classifier,
    precision: str,
    images: np.ndarray,
    labels: np.ndarray,
    reference: Classifier,
    reference_probs: np.ndarray,
    max_drop: float = MAX_DROP,
    max_difference: float = MAX_DIFFERENCE,
    reference_positions: np.ndarray | None = None,
) -> Parity:
    """Measures an exported model and decides whether it may be kept.

    Args:
        exported: the exported model, loaded.
        precision: what it was exported as; `max_difference` applies to ``float32``.
        images: (N, H, W, 3) uint8.
        labels: (N,) class indices.
        reference: the trained model.
        reference_probs: (N, C), its probabilities for `images`.
        max_drop: percentage points of accuracy that may be lost.
        max_difference: largest change of a probability, or of valence and arousal, allowed in float32.
        reference_positions: (N, 2), the trained model's valence and arousal, if it predicts them.

    Returns:
        The figures; ``rejected`` holds the reason if the export fails.

    Raises:
        ClassListMismatchError: the export has another class list.
        ImageShapeError: it takes images of another size.
    """
    require_same_classes(reference.class_names, exported.class_names, str(reference.path), str(exported.path))
    outputs = exported.predict(images)
    probs = outputs["probs"]
    difference = np.abs(probs.astype(np.float64) - reference_probs)
    correct = accuracy(probs, labels)
    drop = 100.0 * (accuracy(reference_probs, labels) - correct)
    reasons = []
    if not np.isfinite(probs).all():
        reasons.append("probabilities are not finite")
    if drop > max_drop + 1e-9:  # both are differences of floats: a drop of exactly max_drop passes
        reasons.append(f"accuracy falls by {drop:.2f} points to {correct:.4f} (allowed: {max_drop:g})")
    if precision == "float32" and not difference.max() <= max_difference:
        reasons.append(f"a probability changes by {difference.max():.2g} (allowed: {max_difference:g})")
    moved = None
    if reference_positions is not None:
        moved = np.abs(outputs["valence_arousal"].astype(np.float64) - reference_positions)
        if precision == "float32" and not moved.max() <= max_difference:
            reasons.append(f"valence or arousal changes by {moved.max():.2g} (allowed: {max_difference:g})")
        elif not moved.mean() <= MAX_POSITION_ERROR:
            reasons.append(
                f"valence and arousal change by {moved.mean():.2g} on average (allowed: {MAX_POSITION_ERROR:g})"
            )
    return Parity(
        file=exported.path.name,
        precision=precision,
        accuracy=correct,
        drop=drop,
        max_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        size=size_on_disk(exported.path),
        rejected="; ".join(reasons) or None,
        position_difference=None if moved is None else float(moved.mean()),
    )


def size_on_disk(path: Path) -> int:
    """Bytes of all files that make up a model."""
    return sum(file.stat().st_size for file in model_files(path))


COLUMNS = ("export", "precision", "accuracy", "drop", "max Δp", "mean Δp", "MB", "p50", "p95", "p50 (2)", "p95 (2)")
"""Headings of `parity_cells`; ``drop`` in percentage points, ``p50`` and ``p95`` in milliseconds, ``(2)`` on two
threads."""

_NARROW = ("export", "accuracy", "drop", "max Δp", "MB", "p50", "p95", "p50 (2)")
"""Columns for a terminal; a file's name tells its precision."""


def parity_table(rows: Sequence[Parity], title: str | None = None) -> Table:
    """The measurements as a rich table that fits 80 columns; rejected exports are red and marked with a cross."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for column in _NARROW:
        table.add_column(column, justify="left" if column == "export" else "right", no_wrap=True)
    for row in rows:
        cells = dict(zip(COLUMNS, parity_cells(row), strict=True))
        cells["export"] += " ✗" if row.rejected else ""
        table.add_row(*(cells[column] for column in _NARROW), style="red" if row.rejected else None)
    return table


def parity_cells(row: Parity) -> list[str]:
    """The figures of one row as text, under `COLUMNS`."""
    times = (row.latency_p50, row.latency_p95, row.two_threads_p50, row.two_threads_p95)
    return [
        row.file,
        row.precision,
        f"{row.accuracy:.4f}",
        f"{row.drop:+.2f}",
        f"{row.max_difference:.1e}",
        f"{row.mean_difference:.1e}",
        f"{row.size / 1e6:.2f}",
        *("-" if time is None else f"{time:.2f}" for time in times),
    ]


def accuracy(probs: np.ndarray, labels: np.ndarray) -> float:
    """Share of records, 0..1, whose label (N,) is the most probable class of `probs` (N, C)."""
    return float((probs.argmax(axis=1) == labels).mean())
