import keras
import numpy as np
import pytest

from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet
from fer_keras.emotions import EMOTIONS
from fer_keras.evaluation.evaluation import EvaluationError
from fer_keras.evaluation.feature_map import feature_maps, read_features, to_plane, write_feature_map
from fer_keras.inference.loading import load_classifier
from fer_keras.methods import CrossEntropy


@pytest.fixture(scope="module")
def model_file(flat_backbone, tmp_path_factory):
    keras.utils.set_random_seed(0)
    file = tmp_path_factory.mktemp("model") / "model.keras"
    CrossEntropy(flat_backbone(6, 24), EMOTIONS).save(file)
    return file


def test_reads_the_features_of_the_images_drawn(model_file, tiny_record_set):
    record_set = RecordSet.load(tiny_record_set)
    features, labels = read_features(load_classifier(model_file), record_set, "train")
    assert features.shape == (32, 6)
    model = keras.models.load_model(model_file)
    batch = next(iter(evaluation_dataset(record_set, "train", (24, 24), 32)))
    np.testing.assert_allclose(features, model.forward(batch[0]["image"])["features"], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(labels, batch[1]["label"])

    some, their_labels = read_features(load_classifier(model_file), record_set, "train", samples=5, seed=3)
    rows = [np.flatnonzero((features == row).all(axis=1)) for row in some]
    assert all(len(row) for row in rows)
    assert their_labels.tolist() == [labels[row[0]] for row in rows]


def test_classes_that_lie_apart_stay_apart():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    points = to_plane(10 * np.eye(3)[labels] + rng.normal(0, 0.3, (60, 3)))
    assert points.shape == (60, 2)
    centers = np.array([points[labels == index].mean(axis=0) for index in range(3)])
    nearest = np.linalg.norm(points[:, None] - centers, axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(nearest, labels)


def test_one_panel_a_network_and_one_colour_a_class():
    points, labels = np.random.default_rng(0).normal(size=(24, 2)), np.arange(24) % 8
    figure = feature_maps(dict.fromkeys("abcd", (points, labels)), EMOTIONS, "24 images")
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles[:4] == list("abcd")
    assert len({collection.get_facecolor().tobytes() for collection in figure.axes[0].collections}) == 8
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(EMOTIONS)


def test_is_written(model_file, tiny_record_set, tmp_path):
    write_feature_map(
        dict.fromkeys("ab", load_classifier(model_file)), RecordSet.load(tiny_record_set), "test", tmp_path
    )
    assert (tmp_path / "features.png").stat().st_size > 5000


def test_refuses_a_model_without_features(tiny_record_set, model_file, tmp_path):
    model = keras.models.load_model(model_file)
    inference = model.inference_model()
    keras.Model(inference.input, {"probs": inference.output["probs"]}).save(tmp_path / "bare.keras")
    (tmp_path / "labels.txt").write_text("\n".join(EMOTIONS) + "\n")
    with pytest.raises(EvaluationError, match="features are read from a run"):
        read_features(load_classifier(tmp_path / "bare.keras"), RecordSet.load(tiny_record_set), "train")
