import keras
import numpy as np

from fer_keras.export.keras_file import export_keras


def test_smaller_and_the_same_model(network, draw, tmp_path):
    network.save(tmp_path / "stored.keras")
    file = export_keras(network, tmp_path / "small.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.keras", "stored.keras"]
    assert file.stat().st_size < 0.9 * (tmp_path / "stored.keras").stat().st_size
    images, _ = draw(5, 3)
    loaded = keras.saving.load_model(file, safe_mode=True)
    np.testing.assert_array_equal(loaded(images)["probs"], network(images)["probs"])
