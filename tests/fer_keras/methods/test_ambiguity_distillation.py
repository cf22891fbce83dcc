import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.emotions import EMOTIONS_7
from fer_keras.methods import AmbiguityDistillation

B, C, N = 5, 7, 10
RNG = np.random.default_rng(0)
LOGITS, TEACHER = RNG.normal(0, 2, (2, B, C)).astype("float32")
UNCERTAINTY = RNG.uniform(0, 3, B).astype("float32")
VOTES = RNG.dirichlet(np.full(C, 0.5), B).astype("float32")
Y = {"label": VOTES.argmax(1), "distribution": VOTES}


@pytest.fixture
def build(flat_backbone):
    backbone = flat_backbone(6)

    def make(**options):
        keras.utils.set_random_seed(0)
        return AmbiguityDistillation(backbone, EMOTIONS_7, num_samples=N, **options)

    return make


def softmax(z):
    z = z.astype("float64")
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def slow_kl(q, p):
    return sum(a * np.log(a / b) for a, b in zip(q, p) if a > 0)


@pytest.mark.parametrize(("epoch", "eta"), [(1, 0.0), (2, 0.25), (5, 1.0), (30, 1.0)])
@pytest.mark.parametrize("weights", [None, np.array([0, 1, 2, 1, 0.5], "float32")], ids=["plain", "weighted"])
def test_equals_the_slow_loop(build, epoch, eta, weights):
    model = build(ramp_epochs=4.0, label_smoothing=0.1)
    model.begin_epoch(epoch)
    found = model.objective(Y, LOGITS, UNCERTAINTY, TEACHER, weights)
    factors, probs = np.ones(B) if weights is None else weights, softmax(LOGITS)
    first = second = 0.0
    for i in range(B):
        target = 0.9 * VOTES[i].astype("float64") + 0.1 / C
        scale = 1 + UNCERTAINTY[i]
        first += factors[i] * (slow_kl(target, probs[i]) / scale + 0.5 * np.log(scale)) / B
        taught, learned = softmax(TEACHER[i] / 2), softmax(LOGITS[i] / 2)
        second += factors[i] * 4 * slow_kl(taught, learned) / B
    assert float(found.loss) == pytest.approx(first + eta * second, rel=1e-4)
    assert float(found.logs["divergence"]) == pytest.approx(first, rel=1e-4)
    assert float(found.logs["distillation"]) == pytest.approx(second, rel=1e-4)


def test_hand_computed(build):
    y = {"distribution": np.array([[0.5, 0.5, 0, 0, 0, 0, 0]], "float32")}
    flat = np.zeros((1, C), "float32")
    model = build()
    found = model.objective(y, flat, np.array([1.0], "float32"), flat)
    # KL of two equal classes against seven is log 7/2; halved, and half a log 2 for the uncertainty of 1.
    assert float(found.loss) == pytest.approx(0.5 * np.log(3.5) + 0.5 * np.log(2), rel=1e-5)


def test_gradients_are_those_by_hand(build):
    model = build(ramp_epochs=1.0)
    model.begin_epoch(2)
    logits, uncertainty, teacher = tf.constant(LOGITS), tf.constant(UNCERTAINTY), tf.constant(TEACHER)
    with tf.GradientTape() as tape:
        tape.watch([logits, uncertainty, teacher])
        loss = model.objective(Y, logits, uncertainty, teacher).loss
    by_logits, by_uncertainty, by_teacher = tape.gradient(loss, [logits, uncertainty, teacher])
    scale = 1 + UNCERTAINTY[:, None]
    expected = (softmax(LOGITS) - VOTES) / scale + 2 * (softmax(LOGITS / 2) - softmax(TEACHER / 2))
    np.testing.assert_allclose(by_logits, expected / B, atol=1e-6)
    divergence = np.array([slow_kl(q, p) for q, p in zip(VOTES, softmax(LOGITS))])
    np.testing.assert_allclose(by_uncertainty, (-divergence / scale[:, 0] ** 2 + 0.5 / scale[:, 0]) / B, rtol=1e-4)
    assert by_teacher is None


def test_candidates_come_before_the_distribution(build):
    other = np.roll(VOTES, 1, axis=1)
    model = build()
    swapped = model.objective({**Y, "candidates": other}, LOGITS, UNCERTAINTY, TEACHER).loss
    assert float(swapped) == float(model.objective({"distribution": other}, LOGITS, UNCERTAINTY, TEACHER).loss)
    assert float(swapped) != float(model.objective(Y, LOGITS, UNCERTAINTY, TEACHER).loss)


def images(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (B, 8, 8, 3)).astype("uint8")


def test_the_teacher_starts_as_the_student_and_follows_it(build):
    model = build(teacher_decay=0.9, dropout=0.5)
    np.testing.assert_allclose(model.teacher_logits(images()), model.forward(images())["logits"], rtol=1e-5, atol=1e-5)
    model.compile(keras.optimizers.SGD(0.1))
    students = [*model.backbone.weights, *model.classifier.weights]
    teachers = [*model.teacher.weights, *model.teacher_classifier.weights]
    expected = [np.asarray(weight, np.float64) for weight in teachers]
    x = {"image": images(), "sample_id": np.arange(B)}
    for _ in range(3):
        model.train_on_batch(x, Y)
        expected = [0.9 * old + 0.1 * np.asarray(new) for old, new in zip(expected, students, strict=True)]
    for found, value in zip(teachers, expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-4, atol=1e-6)
    assert any(np.abs(np.asarray(s) - np.asarray(t)).max() > 1e-4 for s, t in zip(students, teachers))


def test_the_teacher_is_neither_trained_nor_exported_but_stored(build):
    model = build()
    parts = {weight.path for part in (model.teacher, model.teacher_classifier) for weight in part.weights}
    assert not parts & {weight.path for weight in model.trainable_weights}
    assert not parts & {weight.path for weight in model.inference_model().weights}
    assert parts <= {weight.path for weight in model.variables}


def test_uncertainties_are_what_the_head_says_of_the_samples(build):
    model = build(uncertainty_momentum=0.0)
    x = {"image": images(), "sample_id": np.array([3, 0, 7, 9, 1])}
    model.compile(keras.optimizers.SGD(0.0))
    features = model.forward(images())["features"]
    logits = np.asarray(features) @ np.asarray(model.uncertainty_head.kernel) + np.asarray(model.uncertainty_head.bias)
    u = np.log1p(np.exp(logits[:, 0]))
    model.train_on_batch(x, Y)
    expected = np.full(N, 0.5)
    expected[x["sample_id"]] = u / (1 + u)
    np.testing.assert_allclose(model.uncertainties(), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature: 0.0; wanted a value above 0"),
        ({"ramp_epochs": -1.0}, "ramp_epochs: -1.0"),
        ({"teacher_decay": 1.0}, r"teacher_decay: 1.0; wanted a value in \[0, 1\)"),
        ({"distillation_weight": -1.0}, "distillation_weight: -1.0; wanted 0 or more"),
        ({"uncertainty_momentum": 1.0}, "momentum is 1.0"),
    ],
)
def test_refuses_bad_options(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
