import keras
import numpy as np
from PIL import Image

from fer_keras.layers.grey_image import GreyImage


def test_brightness_as_pillow_computes_it():
    colours = np.random.default_rng(0).integers(0, 256, (1, 6, 5, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(colours[0]).convert("L"), np.float32)
    grey = keras.ops.convert_to_numpy(GreyImage()(colours))
    assert grey.shape == colours.shape
    for channel in range(3):
        np.testing.assert_allclose(grey[0, ..., channel], expected, atol=1)  # halves may go either way


def test_grey_images_stay():
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=3)
    np.testing.assert_array_equal(GreyImage()(grey), grey)


def test_saved_and_loaded(tmp_path):
    image = keras.Input((4, 4, 3), name="image")
    keras.Model(image, GreyImage()(image)).save(tmp_path / "grey.keras")
    assert keras.saving.load_model(tmp_path / "grey.keras").output_shape == (None, 4, 4, 3)
