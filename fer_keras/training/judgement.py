"""The end of a run: best and last epoch on the validation split and, once, on the test split."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fer_keras.config.schema import Config, Data
from fer_keras.data.records import RecordSet
from fer_keras.evaluation import evaluate
from fer_keras.evaluation.figures import VALENCE_AROUSAL_FILE
from fer_keras.evaluation.report import write_report
from fer_keras.evaluation.run_folder import evaluation_folder, read_pretraining
from fer_keras.files import write_json
from fer_keras.inference.loading import load_as_judged
from fer_keras.training.method_figures import write_method_figures
from fer_keras.training.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.console import Console


def judge(config: Config, folder: RunFolder, console: "Console | None" = None) -> dict:
    """Evaluates ``weights/best.keras`` and ``weights/last.keras`` and completes the run folder.

    Writes ``evaluation-<split>/`` and ``evaluation-<split>-last/`` (of further record sets in ``data.joint``:
    ``evaluation-<set>-<split>/``), the figures, ``metrics.json`` and ``report.html``;
    the figures beside ``report.html`` are those of the best epoch on the test split (without one: validation).

    Args:
        config: the run's configuration.
        folder: the run folder, training finished.
        console: where progress is shown; None = silent.

    Returns:
        The content of ``metrics.json``: ``best_epoch``, ``pretraining`` and, per split, ``best`` and ``last`` measures.
    """
    record_set = RecordSet.load(config.data.directory)
    state = folder.load_state()
    content: dict = {
        "best_epoch": state["best_epoch"],
        "epochs": state["epoch"],
        "pretraining": read_pretraining(folder.path),
        "fingerprint": {
            name: records.split(split).fingerprint for name, records, split in _splits(config.data, training=True)
        },
        "splits": {},
    }
    classifiers = {which: load_as_judged(folder.weights(which)) for which in ("best", "last")}
    for name, records, split in _splits(config.data):
        content["splits"][name] = {}
        for which, classifier in classifiers.items():
            evaluation = evaluate(classifier, records, split, console=console)
            written = evaluation_folder(folder.weights(which), name)
            evaluation.write(written)
            content["splits"][name][which] = evaluation.metrics
            if which == "best" and records.directory == record_set.directory:
                for figure in ("confusion_matrix.png", "reliability.png", VALENCE_AROUSAL_FILE):
                    if (written / figure).is_file():  # which figures there are depends on what the records hold
                        shutil.copyfile(written / figure, folder.path / figure)
    write_method_figures(config, folder, record_set)
    write_json(folder.metrics, content)
    write_report(folder.path)
    if console is not None:
        _print(content, folder, console)
    return content


def _splits(data: Data, training: bool = False) -> Iterator[tuple[str, RecordSet, str]]:
    """Name in the results, record set and split of all that a run is judged on (with `training`: and learns from).

    Splits of the first record set are called as they are, those of others ``<set>-<split>``.
    """
    for number, source in enumerate(data.sources):
        records = RecordSet.load(source.directory)
        for split in (source.train_split if training else None, source.validation_split, source.test_split):
            if split is not None:
                yield (f"{source.name}-{split}" if number else split), records, split


def _print(content: dict, folder: RunFolder, console: "Console") -> None:
    from rich.table import Table

    table = Table(title=str(folder.path))
    names = {"accuracy": "accuracy %", "balanced_accuracy": "balanced %", "macro_f1": "macro F1 %", "ece": "ECE %"}
    if any("ccc" in metrics for both in content["splits"].values() for metrics in both.values()):
        names["ccc"] = "CCC"
    for column in ("split", "weights", *names.values()):
        table.add_column(column, justify="left" if column in ("split", "weights") else "right")
    for split, both in content["splits"].items():
        for which, metrics in both.items():
            name = f"best (epoch {content['best_epoch']})" if which == "best" else f"last (epoch {content['epochs']})"
            table.add_row(split, name, *(_text(key, metrics.get(key)) for key in names))
    console.print(table)


def _text(key: str, value: float | None) -> str:
    if value is None:  # for example the accuracy where nothing is labelled
        return "-"
    return f"{value:.4f}" if key == "ccc" else f"{100 * value:.2f}"
