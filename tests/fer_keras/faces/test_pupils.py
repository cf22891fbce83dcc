import numpy as np
import pytest
from PIL import Image, ImageDraw

from fer_keras.faces.pupils import refine_pupils

SCALE = 4  # drawn large and averaged down, so that circles have soft edges


def _eyes(centres, distance, lid=0.0):
    """Skin with two eyes: white, a dark iris of 9.5 % of `distance`, and a lid over the upper part of it."""
    canvas = Image.new("RGB", (400 * SCALE, 300 * SCALE), (205, 170, 150))
    draw, radius = ImageDraw.Draw(canvas), 0.095 * distance
    for x, y in (np.asarray(centres) + 0.5) * SCALE:
        r = radius * SCALE
        draw.ellipse((x - 2.2 * r, y - 1.6 * r, x + 2.2 * r, y + 1.6 * r), fill=(235, 232, 230))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(70, 50, 40))
        draw.rectangle((x - 3 * r, y - 2 * r, x + 3 * r, y - r + 2 * r * lid), fill=(205, 170, 150))
    return np.asarray(canvas.reduce(SCALE))


@pytest.mark.parametrize("lid", [0.0, 0.3])
@pytest.mark.parametrize("off", [(0, 0), (5, -4), (-6, 3)])
def test_irises_are_found_from_landmarks_that_are_off(lid, off):
    centres = np.array([[130.3, 150.8], [250.6, 140.1]])
    found = refine_pupils(_eyes(centres, 120.8, lid), centres + off)
    np.testing.assert_allclose(found, centres, atol=1.4)  # 1 % of the distance between the eyes


def test_without_eyes_the_landmarks_stay():
    given = np.array([[130.0, 150.0], [250.0, 150.0]])
    np.testing.assert_array_equal(refine_pupils(np.full((300, 400, 3), 128, np.uint8), given), given)


def test_eyes_at_the_edge_of_the_picture():
    image = _eyes([[6.0, 150.0], [126.0, 150.0]], 120)
    found = refine_pupils(image, np.array([[6.0, 150.0], [126.0, 150.0]]))
    assert np.isfinite(found).all() and np.abs(found - [[6, 150], [126, 150]]).max() < 10
