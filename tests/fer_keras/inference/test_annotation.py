import numpy as np
import pytest

from fer_keras.inference.annotation import COLOURS, annotate
from fer_keras.inference.prediction import Prediction

PROBS = {"neutral": 0.1, "happiness": 0.9}


@pytest.mark.parametrize(
    "box", [(20.0, 20.0, 90.0, 110.0), (5.0, 90.0, 150.0, 199.0), (-20.0, -30.0, 260.0, 250.0), None]
)
def test_a_box_in_the_colour_of_the_expression_and_a_panel(box):
    image = np.full((200, 240, 3), 255, np.uint8)
    drawn = annotate(image, [Prediction("a.png", "happiness", PROBS, box=box)])
    assert (image == 255).all() and drawn.shape == image.shape
    colour = tuple(int(COLOURS["happiness"][i : i + 2], 16) for i in (1, 3, 5))
    assert (drawn == colour).all(axis=-1).sum() > 40  # the longer bar, at least
    assert (drawn < 140).all(axis=-1).any()  # the panel


def test_without_a_face_the_picture_stays():
    image = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    np.testing.assert_array_equal(annotate(image, [Prediction("a.png", None, {})]), image)
