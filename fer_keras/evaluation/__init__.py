"""From predictions to metrics, calibration, figures and the HTML report of a run."""

from fer_keras.evaluation.evaluation import Evaluation
from fer_keras.evaluation.evaluator import evaluate

__all__ = ["Evaluation", "evaluate"]
