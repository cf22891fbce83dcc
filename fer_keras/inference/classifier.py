"""The one face every stored model shows: uint8 images in, class probabilities (and perhaps valence-arousal) out."""

import abc
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np


class ModelLoadError(ValueError):
    """A file or folder that is not a usable classifier; the message names it and what is wrong."""


class ImageShapeError(ValueError):
    """Images of another shape or type than the classifier takes; the message names what it wants."""


class MissingOutputError(ValueError):
    """A model that was asked for an output it does not have."""


OUTPUTS = ("probs", "valence_arousal")
"""Names of the outputs that are read from a model; the first is in all of them."""


class Classifier(abc.ABC):
    """A loaded model. Sub-classes say how one batch is run; shapes, types and batches are checked here.

    Args:
        path: the file or folder the model came from.
        class_names: C canonical emotion names, in the order of the probabilities.
        image_size: (H, W) of the images in pixels.
        batch_size: images that go through the model at a time (bounds the memory; no effect on the result).
        has_valence_arousal: whether the model predicts valence and arousal as well.

    ``num_threads`` is what the runtime was told to use; None where it was not told, or cannot be.
    """

    num_threads: int | None = None

    def __init__(
        self,
        path: str | Path,
        class_names: tuple[str, ...],
        image_size: tuple[int, int],
        batch_size: int,
        has_valence_arousal: bool = False,
    ):
        self.path = Path(path)
        self.class_names = tuple(class_names)
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.batch_size = batch_size
        self.has_valence_arousal = has_valence_arousal

    @abc.abstractmethod
    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """(B, H, W, 3) uint8, B from 1 to `batch_size` -> ``probs`` (B, C) float32, and ``valence_arousal`` (B, 2)
        float32 from a model that has it.
        """

    def predict(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs for images that already have the size the model wants, from one pass.

        Args:
            images: (N, H, W, 3) uint8, RGB, pixels 0..255.

        Returns:
            ``probs`` (N, C) float32; each row sums to 1 (int8 models: up to rounding to steps of 1/256). If
            `has_valence_arousal`, also ``valence_arousal`` (N, 2) float32 in [-1, 1].

        Raises:
            ImageShapeError: another shape or type.
        """
        images = np.asarray(images)
        height, width = self.image_size
        if images.ndim != 4 or images.shape[1:] != (height, width, 3) or images.dtype != np.uint8:
            raise ImageShapeError(
                f"{self.path}: takes uint8 images of shape (N, {height}, {width}, 3), "
                f"got {images.dtype} of shape {tuple(images.shape)}"
            )
        outputs = {"probs": np.empty((len(images), len(self.class_names)), np.float32)}
        if self.has_valence_arousal:
            outputs["valence_arousal"] = np.empty((len(images), 2), np.float32)
        for start in range(0, len(images), self.batch_size):
            batch = slice(start, start + self.batch_size)
            predicted = self._predict_batch(images[batch])
            for name, rows in outputs.items():
                rows[batch] = predicted[name]
        return outputs

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities, (N, C) float32.

        Args, Raises: as `predict`.
        """
        return self.predict(images)["probs"]

    def predict_valence_arousal(self, images: np.ndarray) -> np.ndarray:
        """Valence and arousal, (N, 2) float32 in [-1, 1].

        Args, Raises: as `predict`.

        Raises:
            MissingOutputError: the model does not predict them (ask `has_valence_arousal`).
        """
        if not self.has_valence_arousal:
            raise MissingOutputError(f"{self.path}: this model predicts expressions only, not valence and arousal")
        return self.predict(images)["valence_arousal"]


def require_interface(
    origin: str, inputs: Mapping[str, tuple[str, Sequence]], outputs: Collection[str]
) -> tuple[int, int]:
    """Refuses a stored graph that does not map ``image`` uint8 (N, H, W, 3) to ``probs``.

    Args:
        origin: the file, and its signature if it may have several; the beginning of a message.
        inputs: name -> name of the type and shape; N is not looked at, an axis of free length is not an int above 0.
        outputs: names.

    Returns:
        (H, W).

    Raises:
        ModelLoadError: other names, another type or shape.

    Example:
        >>> require_interface("model.onnx", {"image": ("uint8", (None, 48, 40, 3))}, ["probs"])
        (48, 40)
    """
    if set(inputs) != {"image"} or "probs" not in outputs:
        raise ModelLoadError(f"{origin} must map 'image' to 'probs', it maps {sorted(inputs)} to {sorted(outputs)}")
    dtype, shape = inputs["image"]
    fixed = [int(length) for length in shape[1:] if isinstance(length, int | np.integer) and length > 0]
    if dtype != "uint8" or len(shape) != 4 or len(fixed) != 3 or fixed[2] != 3:
        shown = ", ".join(map(str, shape))
        raise ModelLoadError(f"{origin}: 'image' must be uint8 (N, H, W, 3), it is {dtype} ({shown})")
    return fixed[0], fixed[1]


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 200 characters, for a one-line report.

    Keras wraps an error once per nested object and puts the whole configuration before the cause; the cause is taken.

    Example:
        >>> first_line(TypeError("Bad model.\\n\\nException encountered: no class 'A'. Full object config: {}"))
        "no class 'A'."
    """
    cause = str(error).rpartition("Exception encountered: ")[2].partition(" Full object config: ")[0]
    lines = [line.strip() for line in cause.splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
