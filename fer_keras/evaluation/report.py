"""The HTML report of a run: one file with everything in it, readable offline."""

import base64
import dataclasses
import json
import math
from pathlib import Path

import jinja2

from fer_keras.backbones.weights.provenance import describe_pretraining
from fer_keras.evaluation.feature_map import FEATURES_FILE
from fer_keras.evaluation.figures import VALENCE_AROUSAL_FILE
from fer_keras.evaluation.fusion_figures import CLASS_DISTRIBUTIONS_FILE, FUSION_FILE
from fer_keras.evaluation.results import read_results, write_results_figure
from fer_keras.evaluation.run_folder import read_pretraining
from fer_keras.evaluation.summary import METRIC_NAMES, metric_rows
from fer_keras.files import write_text

LEARNED = {
    CLASS_DISTRIBUTIONS_FILE: "class distributions: row by row, what the network sees in the images of a class",
    FUSION_FILE: "adaptive fusion: the distribution of an image and that of its class, mixed by attention",
}
"""Figures of single methods in a run folder, and what they show."""

HEADLINES = ("accuracy", "balanced_accuracy", "macro_f1", "ece", "ccc")


class ReportError(ValueError):
    """A folder of which no report can be made."""


@dataclasses.dataclass(frozen=True)
class StoredEvaluation:
    """An evaluation read back from the run folder: its heading, ``metrics.json`` and folder."""

    heading: str
    content: dict
    folder: Path


def write_report(run_dir: str | Path) -> Path:
    """Writes ``report.html`` of a run, and ``results.png`` anew if there is a ``results.csv``.

    The report holds the curves, the metrics of every ``evaluation-*`` folder side by side (best weights first, then
    last), their tables by class and figures, which weights training started from, the resolved configuration, and the
    numbers of every epoch.

    Args:
        run_dir: the run folder; at least ``config.yaml``, ``results.csv`` or an evaluation must be there.

    Returns:
        The path of the report.

    Raises:
        ReportError: the folder holds nothing of a run, or a ``metrics.json`` in it is not one of this program's.
        ResultsError: ``results.csv`` is damaged.
    """
    run_dir = Path(run_dir)
    config, results = run_dir / "config.yaml", run_dir / "results.csv"
    evaluations = read_evaluations(run_dir)
    if not (config.is_file() or results.is_file() or evaluations):
        raise ReportError(f"{run_dir}: not a run folder (no config.yaml, no results.csv, no evaluation-*/metrics.json)")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fer_keras.evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "embed": embed_png}
    html = environment.get_template("report.html").render(
        name=run_dir.resolve().name,
        headlines=_headlines(evaluations),
        pretraining=describe_pretraining(read_pretraining(run_dir)),
        evaluations=evaluations,
        valence_arousal=VALENCE_AROUSAL_FILE,
        features=FEATURES_FILE,
        learned=[(run_dir / name, text) for name, text in LEARNED.items() if (run_dir / name).is_file()],
        metrics=metric_rows([column for _, column in _columns(evaluations)]),
        headings=[heading for heading, _ in _columns(evaluations)],
        curves=write_results_figure(run_dir) if results.is_file() else None,
        epochs=_epoch_table(results) if results.is_file() else None,
        config=config.read_text(encoding="utf-8") if config.is_file() else None,
    )
    write_text(run_dir / "report.html", html)
    return run_dir / "report.html"


def read_evaluations(run_dir: Path) -> list[StoredEvaluation]:
    """The evaluations stored in a run folder: of the best weights first, then by name.

    Raises:
        ReportError: a ``metrics.json`` cannot be read or lacks a key.
    """
    found = []
    for file in sorted(run_dir.glob("evaluation-*/metrics.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            missing = {"model", "split", "metrics", "per_class"} - content.keys()
        except (ValueError, AttributeError) as error:
            raise ReportError(f"{file}: not readable as metrics ({error}); evaluate again") from error
        if missing:
            raise ReportError(f"{file}: {', '.join(sorted(missing))} missing in it; evaluate again")
        found.append(StoredEvaluation(f"{content['split']}, {Path(content['model']).stem}", content, file.parent))
    return sorted(found, key=lambda evaluation: (not evaluation.heading.endswith(", best"), evaluation.heading))


def _columns(evaluations: list[StoredEvaluation]) -> list[tuple[str, dict]]:
    columns = []
    for evaluation in evaluations:
        columns.append((evaluation.heading, evaluation.content["metrics"]))
        if "metrics_without_excluded" in evaluation.content:
            heading = f"{evaluation.heading}, without {evaluation.content['excluded']:,} excluded"
            columns.append((heading, evaluation.content["metrics_without_excluded"]))
    return columns


def _headlines(evaluations: list[StoredEvaluation]) -> list[tuple[str, str]]:
    if not evaluations:
        return []
    metrics = evaluations[0].content["metrics"]
    return [
        (name.label, name.format(metrics))
        for name in METRIC_NAMES
        if name.key in HEADLINES and metrics.get(name.key) is not None
    ]


def _epoch_table(file: Path) -> list[list[str]]:
    columns = read_results(file)
    rows = zip(*columns.values(), strict=True)
    return [list(columns), *(["-" if math.isnan(value) else f"{value:.6g}" for value in row] for row in rows)]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def embed_png(file: Path) -> str:
    """A PNG file as a ``data:`` address, for pages that are one file."""
    return f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
