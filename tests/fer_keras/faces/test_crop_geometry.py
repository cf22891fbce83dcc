import pytest

from fer_keras.faces.crop_geometry import (
    DEFAULT_GEOMETRY,
    GEOMETRY_FILE,
    CropGeometry,
    CropGeometryError,
    find_geometry,
)


def test_written_and_found_from_every_kind_of_model(tmp_path):
    geometry = CropGeometry(points=DEFAULT_GEOMETRY.points, grey=True, origin="a test")
    geometry.write(tmp_path / GEOMETRY_FILE)
    (tmp_path / "weights").mkdir()
    for model in ("", "model.tflite", "1", "weights/best.keras"):
        assert find_geometry(tmp_path / model) == geometry


def test_none_is_stored(tmp_path):
    assert find_geometry(tmp_path / "a" / "b" / "model.keras") is None


@pytest.mark.parametrize("content", ["{", "[]", '{"points": [[0, 0]], "origin": "x"}', '{"other": 1}'])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / GEOMETRY_FILE).write_text(content)
    with pytest.raises(CropGeometryError, match=r"crop_geometry.json: not a crop geometry \(.+\); measure it again"):
        find_geometry(tmp_path)
