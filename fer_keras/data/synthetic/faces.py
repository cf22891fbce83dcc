"""The set of drawn faces."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from fer_keras.data.synthetic import action_units, truth
from fer_keras.data.synthetic.drawing import draw_faces
from fer_keras.data.synthetic.draws import Draws
from fer_keras.data.synthetic.face_batch import FaceBatch
from fer_keras.data.synthetic.face_truth import FaceTruth
from fer_keras.data.synthetic.people import draw_people
from fer_keras.data.synthetic.scenes import draw_scenes
from fer_keras.emotions import EMOTIONS, EMOTIONS_7

SMALLEST, LARGEST = 48, 224
"""Range of the images' side, in pixels."""

# Drawn at a time: few enough for the processor's cache, and enough that threads, which take turns between two
# operations, seldom wait for each other.
_PIXELS_AT_A_TIME = 2**17


class SyntheticError(ValueError):
    """A set of drawn faces that cannot be made as asked."""


class SyntheticFaces:
    """An endless set of drawn faces: sample i of a split is the same whenever, and with whatever else, it is asked for.

    Args:
        seed: another seed, other faces; 0 to 2**63 - 1.
        size: S, side of the images in pixels, 48 to 224. The same person, pose and expression is seen at every size.
        class_names: `EMOTIONS`, or `EMOTIONS_7` without contempt.

    Raises:
        SyntheticError: a seed, size or class list that is not among these.

    Example:
        >>> batch = SyntheticFaces(seed=0, size=48).sample("train", [0, 7])
        >>> batch.images.shape, batch.distributions.shape, batch.votes.sum(axis=1).tolist()
        ((2, 48, 48, 3), (2, 8), [10, 10])
    """

    def __init__(self, seed: int = 0, size: int = 64, class_names: Sequence[str] = EMOTIONS):
        if not SMALLEST <= size <= LARGEST:
            raise SyntheticError(f"size {size}: faces are drawn at {SMALLEST} to {LARGEST} pixels")
        if not 0 <= seed < 2**63:
            raise SyntheticError(f"seed {seed}: give a whole number from 0 to 2**63 - 1")
        if tuple(class_names) not in (EMOTIONS, EMOTIONS_7):
            raise SyntheticError(
                f"classes {', '.join(class_names)}: faces are drawn for {', '.join(EMOTIONS)}, with or without contempt"
            )
        self.seed, self.size, self.class_names = seed, size, tuple(class_names)

    def truth(self, split: str, indices: Sequence[int] | np.ndarray) -> FaceTruth:
        """What is known about samples, without drawing them.

        Args, Raises: as `sample`.

        Returns:
            The truth, rows in the order of `indices`.
        """
        draws = self._draws(split, indices)
        return self._truth(draws, *truth.draw_expression(draws, self.class_names))

    def sample(self, split: str, indices: Sequence[int] | np.ndarray) -> FaceBatch:
        """Draws samples of a split.

        Args:
            split: name of the split; another name, other samples.
            indices: (n,) numbers of the samples, at least 0, in any order.

        Returns:
            Images and truth, rows in the order of `indices`.

        Raises:
            SyntheticError: a number below 0.
        """
        return self._drawn(self._draws(split, indices), self.truth(split, indices))

    def show(
        self,
        split: str,
        indices: Sequence[int] | np.ndarray,
        mixtures: Sequence | np.ndarray,
        intensities: float | Sequence[float] | np.ndarray,
    ) -> FaceBatch:
        """Draws the people of samples, in the same pose and light, with expressions of one's own choice.

        Args:
            split, indices: as in `sample`.
            mixtures: (n, C), or (C,) for all: shares of the emotions to show, rows sum to 1.
            intensities: (n,), or one for all, in [0, 1].

        Returns:
            Images and truth.

        Raises:
            SyntheticError: shares or intensities that are none.

        Example:
            >>> faces = SyntheticFaces(size=48)
            >>> faces.show("train", [4, 5], [0, 0, 0, 1, 0, 0, 0, 0], 1.0).labels.tolist()
            [3, 3]
        """
        draws = self._draws(split, indices)
        try:
            mixtures = np.broadcast_to(np.asarray(mixtures, np.float64), (len(draws), len(self.class_names)))
            intensities = np.broadcast_to(np.asarray(intensities, np.float64), len(draws))
        except ValueError as error:
            raise SyntheticError(f"{len(draws)} faces of {len(self.class_names)} classes: {error}") from error
        if not (np.abs(mixtures.sum(axis=1) - 1.0) < 1e-6).all() or not (mixtures >= 0).all():
            raise SyntheticError("every mixture needs shares of at least 0 that sum to 1")
        if not ((intensities >= 0) & (intensities <= 1)).all():
            raise SyntheticError("every intensity must be from 0 to 1")
        return self._drawn(draws, self._truth(draws, mixtures, intensities))

    def _draws(self, split: str, indices: Sequence[int] | np.ndarray) -> Draws:
        indices = np.asarray(indices, np.int64).reshape(-1)
        if (indices < 0).any():
            raise SyntheticError(f"split {split!r}: samples are numbered from 0, there is no {indices.min()}")
        return Draws(self.seed, split, indices)

    def _truth(self, draws: Draws, mixtures: np.ndarray, intensities: np.ndarray) -> FaceTruth:
        distributions = truth.label_distribution(mixtures, intensities)
        return FaceTruth(
            distributions=distributions,
            labels=distributions.argmax(axis=1),
            votes=truth.draw_votes(draws, distributions),
            valence_arousal=truth.draw_position(draws, mixtures, intensities, self.class_names),
            mixtures=mixtures,
            intensities=intensities,
            units=action_units.show(mixtures, intensities, self.class_names, draws),
            parameters={**draw_people(draws), **draw_scenes(draws)},
        )

    def _drawn(self, draws: Draws, known: FaceTruth) -> FaceBatch:
        images = np.empty((len(draws), self.size, self.size, 3), np.uint8)
        step = max(1, _PIXELS_AT_A_TIME // self.size**2)
        for start in range(0, len(draws), step):
            part = slice(start, start + step)
            rows = {name: values[part] for name, values in known.parameters.items()}
            images[part] = draw_faces(rows, known.units[part], self.size, draws[part])
        fields = {field.name: getattr(known, field.name) for field in dataclasses.fields(known)}
        return FaceBatch(images=images, **fields)
