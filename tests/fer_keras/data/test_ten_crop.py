import numpy as np
import pytest
import tensorflow as tf

from fer_keras.data.pipeline import PipelineError, evaluation_dataset, training_dataset
from fer_keras.data.preprocessing import resize
from fer_keras.data.records import RecordSet
from fer_keras.data.ten_crop import CROPS, center_crop, ten_crop


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 11, 9, 3), np.uint8)


def test_corners_centre_and_their_mirror_images_in_this_order(images):
    crops = ten_crop(images, (6, 4)).numpy().reshape(3, CROPS, 6, 4, 3)
    for image, found in zip(images, crops):
        expected = [image[:6, :4], image[:6, -4:], image[-6:, :4], image[-6:, -4:], image[2:8, 2:6]]
        for index, crop in enumerate(expected):
            np.testing.assert_array_equal(found[index], crop)
            np.testing.assert_array_equal(found[5 + index], crop[:, ::-1])
    np.testing.assert_array_equal(center_crop(images, (6, 4)), crops[:, 4])


def test_an_image_of_the_crops_size_is_all_crops(images):
    crops = ten_crop(images, (11, 9)).numpy().reshape(3, CROPS, 11, 9, 3)
    for index in range(5):
        np.testing.assert_array_equal(crops[:, index], images)


class TestPipeline:
    def test_training_rows_are_crops_with_the_sample_of_their_image(self, tiny_record_set):
        record_set = RecordSet.load(tiny_record_set)
        plain, _ = training_dataset(record_set, "train", (20, 20), 4, epochs=1, seed=0)
        cropped, steps = training_dataset(record_set, "train", (16, 16), 4, epochs=1, seed=0, ten_crop_of=(20, 20))
        assert steps == 8
        for (x, y), (crops, labels) in zip(plain, cropped, strict=True):
            np.testing.assert_array_equal(crops["image"], ten_crop(x["image"], (16, 16)))
            np.testing.assert_array_equal(crops["sample_id"], np.repeat(x["sample_id"], CROPS))
            np.testing.assert_array_equal(labels["label"], np.repeat(y["label"], CROPS))
            assert labels["distribution"].shape == (40, 8)

    def test_validation_shows_the_centre(self, tiny_record_set):
        record_set = RecordSet.load(tiny_record_set)
        whole = next(iter(evaluation_dataset(record_set, "test", (30, 30), 16)))[0]["image"]
        centre = next(iter(evaluation_dataset(record_set, "test", (24, 24), 16, center_crop_of=(30, 30))))[0]["image"]
        np.testing.assert_array_equal(centre, whole[:, 3:27, 3:27])
        assert not np.array_equal(centre, tf.cast(resize(whole, (24, 24)), tf.uint8))

    def test_crops_have_no_neighbours(self, tiny_record_set):
        neighbors = {"ids": np.zeros((32, 1), np.int32), "differences": np.zeros((32, 1, 2), np.float32)}
        with pytest.raises(PipelineError, match="a crop has no neighbours"):
            training_dataset(
                RecordSet.load(tiny_record_set), "train", (8, 8), 4, epochs=1, seed=0, neighbors=neighbors,
                ten_crop_of=(9, 9),
            )  # fmt: skip
