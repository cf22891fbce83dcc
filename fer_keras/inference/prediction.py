"""What a model says of one face."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One face of a picture; a picture in which no face was found, or that could not be read, has one without a label.

    Args:
        path: the file; None for an array.
        label: the most probable class, or None.
        probs: class name -> probability, in the order of the class list; empty without a label.
        error: why the picture could not be read, or None.
        valence, arousal: in [-1, 1]; None without a label, or if the model does not predict them.
        frame: number of the video's frame, from 0 on; None for a picture.
        box: left, top, right, bottom of the face in pixels of the picture; None where no detector was used.
        landmarks: x, y of the eyes, the nose and the corners of the mouth; None where no detector was used.
        confidence: how sure the detector is that this is a face, 0 to 1.
    """

    path: str | None
    label: str | None
    probs: dict[str, float]
    error: str | None = None
    valence: float | None = None
    arousal: float | None = None
    frame: int | None = None
    box: tuple[float, float, float, float] | None = None
    landmarks: tuple[tuple[float, float], ...] | None = None
    confidence: float | None = None
