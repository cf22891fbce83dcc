import numpy as np
import pytest
import tensorflow as tf

from fer_keras.losses.pseudo_labels import confident, margin_thresholds, mean_prediction, pseudo_cross_entropy


def test_the_mean_prediction_is_constant_for_the_gradient():
    logits = tf.Variable([[1.0, -1.0]])
    with tf.GradientTape() as tape:
        mean = mean_prediction(logits, -logits)
    np.testing.assert_allclose(mean, [[0.5, 0.5]], rtol=1e-6)
    assert tape.gradient(mean, logits) is None


def test_cross_entropy_with_a_pseudo_label():
    logits = np.float32([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    expected = [-np.log(np.exp(row[label]) / np.exp(row).sum()) for row, label in zip(logits, (0, 1))]
    np.testing.assert_allclose(pseudo_cross_entropy(logits, np.array([0, 1])), expected, rtol=1e-5)


@pytest.mark.parametrize(("epoch", "factor"), [(1, 0.709), (2, 0.854), (3, 0.924), (5, 0.964)])
def test_thresholds_rise_with_the_epoch(epoch, factor):
    # a floor of 0 shows the factor itself
    value = margin_thresholds(np.float32([3.0]), np.float32([3.0]), epoch, floor=0.0)
    assert float(value[0]) == pytest.approx(factor, abs=1e-3)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["c7", "c8"])
def test_golden_ada_cm_thresholds_and_mask(golden, name):
    case = golden("ada_cm").case(f"threshold_{name}")
    probs = tf.nn.softmax(case["logits"]).numpy()
    correct = probs.argmax(1) == case["targets"]
    classes = probs.shape[1]
    sums = np.bincount(case["targets"][correct], probs.max(1)[correct], classes).astype("float32")
    counts = np.bincount(case["targets"][correct], minlength=classes).astype("float32")
    for epoch, expected in zip(case["epochs"], case["thresholds"]):
        found = margin_thresholds(sums, counts, int(epoch), float(case["floor"]), float(case["scale"]))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    mask = golden("ada_cm").case(f"mask_{name}")
    _, found = confident(mask["probs"], mask["thresholds"])
    np.testing.assert_array_equal(found, mask["mask"].astype(bool))
