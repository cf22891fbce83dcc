"""The callback that turns epochs into a run folder: results, best weights, and a state to resume from."""

import csv
import io
import json
import math

import keras
import numpy as np

from fer_keras.files import write_text
from fer_keras.training.run_folder import RunFolder


class Recorder(keras.callbacks.Callback):
    """Records every finished epoch, so that an interrupted run continues as if nothing had happened.

    After each epoch: ``results.csv``; ``weights/best.keras`` if the monitored value improved; last, the checkpoint.
    The checkpoint holds every variable of model and optimizer (tables, BatchNorm statistics, moments, step
    counter, random seeds), so a resumed run repeats the uninterrupted one bit for bit.

    Args:
        folder: the run folder.
        monitor: name of the logged value that selects the best epoch; ``*loss`` is minimised, the rest maximised.
        patience: epochs without improvement after which training stops; None = never.

    Raises:
        ValueError: at the end of the first epoch, if `monitor` is not among the logged values.
    """

    def __init__(self, folder: RunFolder, monitor: str, patience: int | None = None):
        super().__init__()
        self.folder = folder
        self.monitor = monitor
        self.patience = patience
        self.state = {"epoch": 0, "best": None, "best_epoch": None, "history": []}

    def _variables(self) -> list:
        return [*self.model.variables, *self.model.optimizer.variables]

    def restore(self, model: keras.Model) -> int:
        """Puts the last stored state into a compiled model.

        Returns:
            The number of finished epochs, 0 if there is no state.

        Raises:
            ValueError: the stored state does not fit the model.
        """
        stored = self.folder.load_state()
        if stored is None:
            return 0
        self.set_model(model)
        model.optimizer.build(model.trainable_variables)
        values, variables = self.folder.load_variables(stored["epoch"]), self._variables()
        if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
            raise ValueError(
                f"{self.folder.checkpoints}: this state belongs to another model; start anew with --overwrite"
            )
        for variable, value in zip(variables, values):
            variable.assign(value)
        self.state = stored
        return stored["epoch"]

    def on_epoch_end(self, epoch, logs=None):
        logs = {name: float(value) for name, value in (logs or {}).items()}
        logs["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
        if self.monitor not in logs:
            raise ValueError(f"training.monitor: {self.monitor!r} is not logged; logged: {', '.join(logs)}")
        self.state["history"].append({"epoch": epoch + 1, **logs})
        self.state["epoch"] = epoch + 1
        self._write_results()
        if self._improved(logs[self.monitor]):
            self.state |= {"best": logs[self.monitor], "best_epoch": epoch + 1}
            self._save_best()
        variables = [np.asarray(variable) for variable in self._variables()]
        self.folder.save_state(self.state, variables)
        if self.patience is not None and epoch + 1 - self.state["best_epoch"] >= self.patience:
            self.model.stop_training = True

    def _improved(self, value: float) -> bool:
        best = self.state["best"]
        if best is None or math.isnan(best):
            return True
        return value < best if self.monitor.endswith("loss") else value > best

    def _write_results(self) -> None:
        history = self.state["history"]
        names = list(dict.fromkeys(name for row in history for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: f"{v:.6g}" if isinstance(v, float) else v for name, v in row.items()} for row in history
        )
        write_text(self.folder.results, text.getvalue())

    def _save_best(self) -> None:
        optimizer = self.model.optimizer
        averaged = getattr(optimizer, "inner_optimizer", optimizer)
        weights = [np.asarray(weight) for weight in self.model.trainable_variables] if averaged.use_ema else None
        if averaged.use_ema:
            averaged.finalize_variable_values(self.model.trainable_variables)
        save_model(self.model, self.folder, "best")
        if averaged.use_ema:
            for variable, weight in zip(self.model.trainable_variables, weights):
                variable.assign(weight)


def save_model(model: keras.Model, folder: RunFolder, which: str) -> None:
    """Saves a method as ``weights/<which>.keras`` under a temporary name, then renames it."""
    file = folder.weights(which)
    unfinished = file.with_name(f".{which}.unfinished.keras")  # Keras wants the suffix
    model.save(unfinished)
    unfinished.replace(file)


def load_history(folder: RunFolder) -> list[dict]:
    """The logged values of every finished epoch of a run."""
    return json.loads((folder.checkpoints / "state.json").read_text())["history"]
