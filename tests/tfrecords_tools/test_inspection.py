import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import entropy

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.sidecars import write_sidecar
from tfrecords_tools.contact_sheet import draw_contact_sheet, write_contact_sheet
from tfrecords_tools.inspection import list_sidecars, split_statistics, vote_entropy


@given(st.lists(st.lists(st.integers(0, 10), min_size=8, max_size=8), min_size=1, max_size=6))
def test_vote_entropy_is_shannons(votes):
    found = vote_entropy(np.array(votes, dtype=np.float32))
    expected = [entropy(row) if sum(row) else np.nan for row in votes]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_statistics_of_the_tiny_set(tiny_record_set):
    record_set = RecordSet.load(tiny_record_set)
    done = []
    found = split_statistics(record_set, "train", done.append)
    votes = read_columns(record_set, "train", ["votes"])["votes"]
    assert found.counts.tolist() == [4] * 8
    assert (found.total, found.unlabelled, found.voted, found.positioned, sum(done)) == (32, 0, 32, 32, 32)
    assert found.sizes == {(48, 48): 32} and found.formats == {"PNG": 32}
    assert found.entropy == pytest.approx(np.mean([entropy(row) for row in votes]))


def test_sidecars_of_other_records_are_told_apart(tiny_record_set, tmp_path):
    record_set = RecordSet.load(shutil.copytree(tiny_record_set, tmp_path / "own"))
    assert list_sidecars(record_set) == []
    write_sidecar(record_set, "train", "good", np.zeros((32, 2), np.float32))
    stale = write_sidecar(record_set, "train", "stale", np.zeros(32, np.int64))
    stamp = stale.with_suffix(".json")
    stamp.write_text(stamp.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    good, bad = list_sidecars(record_set)
    assert (good.name, good.split, good.shape, good.dtype, good.current) == ("good", "train", (32, 2), "float32", True)
    assert (bad.name, bad.current) == ("stale", False)


def test_contact_sheet_shows_each_class_in_its_row(tiny_record_set, tmp_path, make_face):
    sheet = draw_contact_sheet(RecordSet.load(tiny_record_set), "train", per_class=4)
    write_contact_sheet(sheet, tmp_path / "sheet.png")
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB")).astype(float)
    assert pixels.shape == (8 * 100 + 4, 110 + 4 * 100, 3)
    # The train split holds 0..31; class 5 are 5, 13, 21 and 29, all shown, in this order.
    for column, index in enumerate((5, 13, 21, 29)):
        shown = pixels[4 + 5 * 100 :, 110 + column * 100 :][:96, :96]
        face = Image.fromarray(make_face(5, index)).resize((96, 96), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(shown, np.asarray(face))


def test_fewer_images_than_places(tiny_record_set):
    sheet = np.asarray(draw_contact_sheet(RecordSet.load(tiny_record_set), "test", per_class=3))
    assert (sheet[4:100, 110 + 2 * 100 :] == 255).all(), "two images of the class: the third place is empty"
    assert not (sheet[4:100, 210:306] == 255).all()
