"""A whole call of ``fer-keras predict``: pictures and videos in, predictions and annotated copies out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from fer_keras.files import replacing
from fer_keras.inference.annotation import annotate
from fer_keras.inference.image_files import ImageReadError
from fer_keras.inference.interruption import until_interrupted
from fer_keras.inference.prediction import Prediction
from fer_keras.inference.predictor import Predictor
from fer_keras.inference.video import Video, in_real_time, is_video, write_video

JPEG_QUALITY = 92


def predict_inputs(
    predictor: Predictor, inputs: Sequence[str | Path], annotated: Path | None = None, bars: int = 3, every: int = 1
) -> Iterator[Prediction]:
    """Classifies everything that a command line names, with a progress bar on terminals.

    Args:
        predictor: with the detector to use.
        inputs: what `expand_inputs` made of the command line: image and video files, numbers of cameras. Ctrl-C ends a
            video or a camera; what was read so far is classified and kept.
        annotated: folder for copies with boxes and bars, ``<name>.jpg`` or ``<name>.mp4``; None = no copies.
        bars: expressions shown per face in the copies.
        every: of videos, every so manieth frame is looked at.

    Yields:
        The predictions, images before videos. A file that cannot be read has one with an error.
    """
    images = [item for item in inputs if not is_video(item)]
    videos = [item for item in inputs if is_video(item)]
    names = iter(_unique_names([*images, *videos]))
    for picture, predictions in _progress(predictor.predict_pictures(images), "images", len(images)):
        name = next(names)
        if annotated is not None and picture.readable:
            with replacing(annotated / f"{name}.jpg") as temporary:
                drawn = Image.fromarray(annotate(picture.pixels, predictions, bars))
                drawn.save(temporary, "JPEG", quality=JPEG_QUALITY)
        yield from predictions
    for source in videos:
        name = next(names)
        yield from _predict_video(predictor, source, annotated and annotated / f"{name}.mp4", bars, every)


def _predict_video(
    predictor: Predictor, source: str | Path, copy: Path | None, bars: int, every: int
) -> Iterator[Prediction]:
    try:
        video = Video(source, every)
    except ImageReadError as error:
        yield Prediction(str(source), None, {}, str(error))
        return
    with until_interrupted(video) as taken:
        frames = _progress(predictor.predict_pictures(taken), str(source), video.length)
        if copy is None:
            for _, predictions in frames:
                yield from predictions
            return
        said: list[Prediction] = []

        def drawn() -> Iterator[tuple[float | None, np.ndarray]]:
            for picture, predictions in frames:
                said.extend(predictions)
                yield picture.time, annotate(picture.pixels, predictions, bars)

        pixels = in_real_time(drawn(), video.rate) if video.live else (image for _, image in drawn())
        write_video(pixels, copy, video.rate)
        yield from said


def _progress(pictures: Iterator, what: str, total: int | None) -> Iterator:
    console = Console(stderr=True)
    return track(pictures, what, total, console=console, transient=True, disable=not console.is_terminal)


def _unique_names(files: Sequence[str | Path]) -> list[str]:
    """The files' names without endings; those that come again get a number.

    Example:
        >>> _unique_names(["a/x.png", "b/x.jpg", "clip.mp4", "0"])
        ['x', 'x-2', 'clip', '0']
    """
    seen: dict[str, int] = {}
    names = []
    for file in files:
        stem = Path(file).stem
        seen[stem] = seen.get(stem, 0) + 1
        names.append(stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return names
