"""From a configuration to a run folder: data, method, ``fit``, checkpoints, and the final judgement."""

from fer_keras.training.trainer import TrainingError, train

__all__ = ["TrainingError", "train"]
