"""Stored models of any format as classifiers, and predictions from image files.

`Predictor` can be imported from here; it is loaded when it is first asked for, so that this package imports nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_keras.inference.predictor import Predictor

__all__ = ["Predictor"]


def __getattr__(name: str):
    if name == "Predictor":
        from fer_keras.inference.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
