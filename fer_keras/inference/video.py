"""Frames of video files and cameras; the one file that imports OpenCV."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from fer_keras.files import replacing
from fer_keras.inference.image_files import ImageReadError
from fer_keras.inference.picture import Picture

SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})
DEFAULT_RATE = 25.0
"""Frames per second of a file that does not say, and of recordings of a camera."""


class VideoWriteError(ValueError):
    """A video that cannot be written; the message names it and what to do."""


def is_video(source: str | Path) -> bool:
    """Whether an input is a video file (by its ending) or a camera (by its number).

    Example:
        >>> is_video("clip.MP4"), is_video("0"), is_video("face.png")
        (True, True, False)
    """
    path = Path(source)
    return is_camera(path) or (path.suffix.lower() in SUFFIXES and not path.is_dir())


def is_camera(source: str | Path) -> bool:
    """Whether an input is the number of a camera; a file or folder of that name comes first."""
    return str(source).isdecimal() and not Path(source).exists()


class Video:
    """A video file or a camera, read frame by frame.

    Args:
        source: the file, or the number of a camera.
        every: only every so manieth frame is read, from the first on.

    Raises:
        ImageReadError: OpenCV is not installed, there is no such file or camera, or it is not a video.
        ValueError: `every` is not positive.
    """

    def __init__(self, source: str | Path, every: int = 1):
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every}")
        cv2 = _opencv()
        self.path, self.every, self.live = str(source), every, is_camera(source)
        if not self.live and not Path(source).is_file():
            raise ImageReadError("no such file")
        self._capture = cv2.VideoCapture(int(self.path) if self.live else self.path)
        if not self._capture.isOpened():
            raise ImageReadError("no such camera" if self.live else "not a video, or in a format that is not known")
        # A camera's own rate says nothing of a recording: frames that come while others are looked at are lost.
        self.rate = DEFAULT_RATE if self.live else (self._capture.get(cv2.CAP_PROP_FPS) or DEFAULT_RATE) / every
        frames = 0 if self.live else int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.length = None if frames <= 0 else -(-frames // every)
        """Frames that will be read, as far as the file says; None for a camera."""

    def __iter__(self) -> Iterator[Picture]:
        """The frames, in RGB; stops at the end of the file, or where the rest is damaged."""
        number = 0
        try:
            while self._capture.grab():
                if number % self.every == 0:
                    taken = time.monotonic() if self.live else None
                    good, pixels = self._capture.retrieve()
                    if not good:
                        return
                    yield Picture(self.path, np.ascontiguousarray(pixels[..., ::-1]), number, taken)
                number += 1
        finally:
            self._capture.release()


def in_real_time(frames: Iterable[tuple[float, np.ndarray]], rate: float) -> Iterator[np.ndarray]:
    """Repeats frames, and leaves some out, so that they pass as they were taken.

    Args:
        frames: seconds at which each was taken, rising, and its pixels.
        rate: frames per second that are wanted.

    Yields:
        The pixels of the frame that was the latest at each tick; the last frame once.

    Example:
        >>> list(in_real_time([(3.0, "a"), (3.5, "b"), (3.6, "c"), (4.0, "d")], rate=4.0))
        ['a', 'a', 'c', 'c', 'd']
    """
    start, latest, ticks = None, None, 0
    for taken, pixels in frames:
        start = taken if start is None else start
        while ticks < round((taken - start) * rate):
            yield latest
            ticks += 1
        latest = pixels
    if latest is not None:
        yield latest


def write_video(frames: Iterable[np.ndarray], file: Path, rate: float) -> int:
    """Writes an MP4 file, which appears only when it is complete.

    Args:
        frames: (H, W, 3) uint8 RGB, all of one size.
        file: its name must end in ``.mp4``.
        rate: frames per second.

    Returns:
        The number of frames. Without any, no file is written.

    Raises:
        VideoWriteError: OpenCV cannot write it.
    """
    cv2 = _opencv()
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        return 0
    written = 1
    with replacing(file) as temporary:
        # OpenCV chooses the container by the name's ending.
        part = temporary.with_name(f"{temporary.name}.mp4")
        writer = cv2.VideoWriter(str(part), cv2.VideoWriter_fourcc(*"mp4v"), rate, first.shape[1::-1])
        try:
            if not writer.isOpened():
                height, width = first.shape[:2]
                raise VideoWriteError(
                    f"{file}: OpenCV cannot write a video of {width}x{height} pixels here; choose a folder that can be "
                    "written to, and if it can, an OpenCV with the codec mp4v (pip install 'fer-keras[faces]')"
                )
            writer.write(np.ascontiguousarray(first[..., ::-1]))
            for frame in frames:
                writer.write(np.ascontiguousarray(frame[..., ::-1]))
                written += 1
            writer.release()
            part.replace(temporary)
        finally:
            writer.release()
            part.unlink(missing_ok=True)
    return written


def _opencv():
    try:
        import cv2
    except ImportError as error:
        raise ImageReadError(f"videos need OpenCV ({error}): pip install 'fer-keras[faces]'") from error
    return cv2
