"""How good an exported model is on data that nothing was chosen on, for its card."""

import dataclasses
from pathlib import Path

from fer_keras.data.records import RecordSet
from fer_keras.evaluation.evaluator import evaluate
from fer_keras.inference.classifier import Classifier

MEASURES = ("n", "accuracy", "accuracy_standard_error", "balanced_accuracy", "macro_f1", "ece", "nll", "kl")


def judge(classifier: Classifier, directory: Path, split: str) -> dict:
    """Evaluates a classifier.

    Args:
        classifier: the trained model.
        directory, split: labelled records.

    Returns:
        JSON values: ``data``, ``split``, those of `MEASURES` that the records allow, and ``per_class``.

    Raises:
        RecordSetError, EvaluationError, ClassListMismatchError: see `fer_keras.evaluation.evaluator.evaluate`.
    """
    record_set = RecordSet.load(directory)
    evaluation = evaluate(classifier, record_set, split)
    measures = {name: evaluation.metrics[name] for name in MEASURES if evaluation.metrics.get(name) is not None}
    per_class = [dataclasses.asdict(scores) for scores in evaluation.per_class]
    return {"data": record_set.name, "split": split, **measures, "per_class": per_class}
