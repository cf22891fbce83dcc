import itertools
import sys

import numpy as np
import pytest

from fer_keras.inference.image_files import ImageReadError
from fer_keras.inference.video import Video, VideoWriteError, in_real_time, is_video, write_video


@pytest.fixture
def clip(tmp_path):
    """An MP4 file of ten frames, each of another brightness."""
    frames = (np.full((48, 64, 3), (20 * number, 100, 200), np.uint8) for number in range(10))
    assert write_video(frames, tmp_path / "clip.mp4", rate=10.0) == 10
    return tmp_path / "clip.mp4"


def test_frames_in_rgb_with_their_numbers(clip):
    video = Video(clip, every=3)
    pictures = list(video)
    assert video.length == 4 and video.rate == pytest.approx(10 / 3)
    assert [picture.frame for picture in pictures] == [0, 3, 6, 9]
    for picture in pictures:
        assert picture.path == str(clip) and picture.pixels.shape == (48, 64, 3)
        np.testing.assert_allclose(picture.pixels.mean(axis=(0, 1)), (20 * picture.frame, 100, 200), atol=6)


def test_what_is_a_video():
    assert [is_video(name) for name in ("0", "12", "a.MOV", "a.png", "folder")] == [True, True, True, False, False]


def test_what_is_on_the_disk_comes_before_a_camera(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2019").mkdir()
    (tmp_path / "7").write_bytes(b"")
    (tmp_path / "cut.mp4").mkdir()
    assert [is_video(name) for name in ("2019", "7", "cut.mp4", "8")] == [False, False, False, True]


class _Camera:
    """Thirty frames a second by its own account."""

    def __init__(self, number):
        self.left = 5

    def isOpened(self):
        return True

    def get(self, what):
        return 30.0

    def grab(self):
        self.left -= 1
        return self.left >= 0

    def retrieve(self):
        return True, np.full((48, 64, 3), self.left, np.uint8)

    def release(self):
        pass


def test_frames_of_a_camera_know_when_they_were_taken(monkeypatch):
    monkeypatch.setattr("cv2.VideoCapture", _Camera)
    clock = itertools.count(100.0, 0.5)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    video = Video("0", every=2)
    assert (video.live, video.length, video.rate) == (True, None, 25.0)
    assert [(picture.frame, picture.time) for picture in video] == [(0, 100.0), (2, 100.5), (4, 101.0)]


@pytest.mark.parametrize("interval", [0.01, 0.04, 0.13, 1.0])
def test_a_recording_lasts_as_long_as_what_was_recorded(interval):
    times = 7.0 + interval * np.arange(40)
    shown = list(in_real_time(((taken, taken) for taken in times), rate=25.0))
    assert len(shown) == pytest.approx(39 * interval * 25 + 1, abs=0.51)
    ticks = 7.0 + np.arange(len(shown)) / 25
    np.testing.assert_allclose(shown, ticks, atol=interval + 0.021)
    assert list(in_real_time([], 25.0)) == []


def test_a_video_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("cv2.VideoWriter.isOpened", lambda self: False, raising=False)
    with pytest.raises(VideoWriteError, match=r"clip\.mp4: OpenCV cannot write a video of 64x48 pixels"):
        write_video([np.zeros((48, 64, 3), np.uint8)], tmp_path / "clip.mp4", 25.0)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_write(tmp_path):
    assert write_video([], tmp_path / "none.mp4", 25.0) == 0
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_writing_leaves_nothing(tmp_path):
    def frames():
        yield np.zeros((48, 64, 3), np.uint8)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        write_video(frames(), tmp_path / "clip.mp4", 25.0)
    assert list(tmp_path.iterdir()) == []


def test_errors(tmp_path, monkeypatch):
    with pytest.raises(ImageReadError, match="no such file"):
        Video(tmp_path / "none.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    with pytest.raises(ImageReadError, match="not a video"):
        Video(tmp_path / "bad.mp4")
    with pytest.raises(ImageReadError, match="no such camera"):
        Video("97")
    with pytest.raises(ValueError, match="every must be at least 1"):
        Video(tmp_path / "bad.mp4", 0)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImageReadError, match=r"videos need OpenCV .*fer-keras\[faces\]"):
        Video(tmp_path / "bad.mp4")
