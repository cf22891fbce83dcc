"""From pictures to expressions."""

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from fer_keras.faces.alignment import crop_face
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, CropGeometry, find_geometry
from fer_keras.faces.detector import FaceDetector
from fer_keras.faces.face import Face
from fer_keras.inference.classifier import Classifier
from fer_keras.inference.image_files import to_rgb
from fer_keras.inference.loading import load_classifier
from fer_keras.inference.picture import Picture
from fer_keras.inference.prediction import Prediction

Source = str | Path | np.ndarray | Picture


class Predictor:
    """Finds the faces of pictures, cuts them out as the model's training crops were cut, and classifies them.

    Args:
        model: a `Classifier`, or a path for `load_classifier`.
        batch_size: pictures read, and faces classified, at a time.
        detector: finds the faces (see `build_detector`); None if every picture is one cropped face.
        geometry: where the points of a face lie in a crop; None takes what is stored with the model, or else a default.

    Raises:
        ValueError: `batch_size` is not positive, or the model cannot be loaded.
        CropGeometryError: the geometry stored with the model cannot be read.

    Example:
        >>> class Uniform(Classifier):
        ...     def _predict_batch(self, images):
        ...         return {"probs": np.full((len(images), 2), 0.5, np.float32)}
        >>> predictor = Predictor(Uniform("uniform", ("neutral", "happiness"), (48, 48), 64))
        >>> predictor.predict([np.zeros((48, 48, 3), np.uint8)])[0].probs
        {'neutral': 0.5, 'happiness': 0.5}
    """

    def __init__(
        self,
        model: Classifier | str | Path,
        batch_size: int = 64,
        detector: FaceDetector | None = None,
        geometry: CropGeometry | None = None,
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.classifier = model if isinstance(model, Classifier) else load_classifier(model)
        self.batch_size = batch_size
        self.detector = detector
        self.geometry = geometry or find_geometry(self.classifier.path) or DEFAULT_GEOMETRY

    def predict(self, pictures: Iterable[Source]) -> list[Prediction]:
        """Classifies the faces of pictures.

        Args:
            pictures: files, or uint8 arrays (H, W, 3), (H, W) grey or (H, W, 4) with alpha.

        Returns:
            One prediction per face, picture by picture, the largest face of a picture first. A picture without a face,
            or that cannot be read, has one prediction without a label.
        """
        return list(self.predict_iter(pictures))

    def predict_iter(self, pictures: Iterable[Source]) -> Iterator[Prediction]:
        """As `predict`, yielding the predictions as batches are done (bounded memory)."""
        for _, predictions in self.predict_pictures(pictures):
            yield from predictions

    def predict_pictures(self, pictures: Iterable[Source]) -> Iterator[tuple[Picture, list[Prediction]]]:
        """As `predict_iter`, with each picture and all of its predictions together."""
        pictures = iter(pictures)
        with ThreadPoolExecutor() as pool:
            while batch := list(itertools.islice(pictures, self.batch_size)):
                yield from self._predict_batch(list(pool.map(self._find, batch)))

    def _find(self, source: Source) -> tuple[Picture, list[Face | None], list[np.ndarray]]:
        """A picture, its faces (None: the picture is the face), and their crops at the size of the model."""
        picture = Picture.read(source)
        if not picture.readable:
            return picture, [], []
        if self.detector is None:
            return picture, [None], [self._fit(picture.pixels)]
        faces = self.detector.detect(picture.pixels)
        side = self.geometry.size or max(self.classifier.image_size)
        return picture, faces, [
            self._fit(crop_face(picture.pixels, face.landmarks, self.geometry, side)) for face in faces
        ]  # fmt: skip

    def _predict_batch(self, found: list) -> Iterator[tuple[Picture, list[Prediction]]]:
        crops = [crop for _, _, crops in found for crop in crops]
        outputs = self.classifier.predict(np.stack(crops)) if crops else {"probs": np.empty((0, 0))}
        positions = outputs.get("valence_arousal", np.full((len(crops), 2), None))
        rows = zip(outputs["probs"], positions.tolist(), strict=True)
        for picture, faces, _ in found:
            predictions = [self._prediction(picture, face, *next(rows)) for face in faces]
            error = None if picture.readable else str(picture.pixels)
            yield picture, predictions or [Prediction(picture.path, None, {}, error, frame=picture.frame)]

    def _prediction(self, picture: Picture, face: Face | None, probs: np.ndarray, position: list) -> Prediction:
        names = self.classifier.class_names
        where = {} if face is None else {
            "box": face.box,
            "landmarks": tuple(map(tuple, face.landmarks.tolist())),
            "confidence": face.confidence,
        }  # fmt: skip
        label, by_name = names[int(probs.argmax())], dict(zip(names, probs.tolist()))
        return Prediction(picture.path, label, by_name, None, *position, frame=picture.frame, **where)

    def _fit(self, image: np.ndarray) -> np.ndarray:
        """Resized to the model's size, by the function that training uses, and grey if the training crops were."""
        size = self.classifier.image_size
        if image.shape[:2] != size:  # else without TensorFlow, which a LiteRT model does not need
            from fer_keras.data.preprocessing import resize

            image = resize(image, size).numpy().astype(np.uint8)
        return to_rgb(np.asarray(Image.fromarray(image).convert("L"))) if self.geometry.grey else image
