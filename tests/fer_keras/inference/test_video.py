import sys

import numpy as np
import pytest

from fer_keras.inference.image_files import ImageReadError
from fer_keras.inference.video import Video, is_video, write_video


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
