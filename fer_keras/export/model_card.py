"""``MODEL_CARD.md``: what an exported model is, and what was measured before it was kept."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import jinja2

import fer_keras
from fer_keras.backbones.weights.provenance import describe_pretraining
from fer_keras.export.parity import COLUMNS, Parity, parity_cells


def render_model_card(name: str, report: Mapping, rows: Sequence[Parity]) -> str:
    """The text of the card.

    Args:
        name: of the model.
        report: the content of ``export.json``.
        rows: one measurement per export; the rejected ones are listed apart, with the reason.

    Returns:
        Markdown.
    """
    template = resources.files("fer_keras.export").joinpath("templates/model_card.md.jinja").read_text("utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(template).render(
        report,
        name=name,
        started_from=describe_pretraining(report["pretraining"]),
        version=fer_keras.__version__,
        columns=COLUMNS,
        rows=[parity_cells(row) for row in rows if not row.rejected],
        rejected=[row for row in rows if row.rejected],
        int8=_int8_against_float32([row for row in rows if not row.rejected]),
    )


def _int8_against_float32(rows: Sequence[Parity]) -> list[str]:
    """What 8 bits saved in each format that was kept in both precisions."""
    float32 = {Path(row.file).suffix: row for row in rows if row.precision == "float32"}
    pairs = [(row, float32.get(Path(row.file).suffix)) for row in rows if row.precision == "int8"]
    return [
        f"`{row.file}` has {row.size / full.size:.0%} of the size of `{full.file}` and takes "
        f"{row.latency_p50 / full.latency_p50:.0%} of its time on one thread"
        for row, full in pairs
        if full is not None
    ]
