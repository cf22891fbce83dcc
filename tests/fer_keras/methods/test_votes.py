import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.emotions import EMOTIONS_7
from fer_keras.methods import Votes
from fer_keras.methods.votes import SCHEMES

B, C = 6, 7
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (B, C)).astype("float32")
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
CANDIDATES = RNG.dirichlet(np.full(C, 0.3), B).astype("float32")
CANDIDATES[CANDIDATES < 0.15] = 0
CANDIDATES /= CANDIDATES.sum(1, keepdims=True)
LABELS = CANDIDATES.argmax(1)
Y = {"label": LABELS, "distribution": np.eye(C, dtype="float32")[LABELS], "candidates": CANDIDATES}


@pytest.fixture(scope="module")
def build(flat_backbone):
    backbone = flat_backbone(5)
    return lambda scheme: Votes(backbone, EMOTIONS_7, scheme=scheme)


def slow(scheme, i):
    inside = [c for c in range(C) if CANDIDATES[i, c] > 0]
    if scheme == "majority":
        return -np.log(PROBS[i, LABELS[i]])
    if scheme == "multi_target":
        return -np.log(max(PROBS[i, c] for c in inside))
    if scheme == "average":
        return -np.log(sum(PROBS[i, c] for c in inside))
    return -sum(CANDIDATES[i, c] * np.log(PROBS[i, c]) for c in inside)


@pytest.mark.parametrize("weights", [None, np.array([0, 1, 2, 1, 0.5, 1], "float32")], ids=["plain", "weighted"])
@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "probability"])
def test_equals_the_slow_loop(build, scheme, weights):
    found = build(scheme).objective(Y, LOGITS, weights)
    factors = np.ones(B) if weights is None else weights
    expected = np.mean([factors[i] * slow(scheme, i) for i in range(B)])
    assert float(found.loss) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(found.probs, PROBS, rtol=1e-5)


def test_hand_computed(build):
    y = {"label": np.array([0]), "candidates": np.array([[0.75, 0.25, 0, 0, 0, 0, 0]], "float32")}
    logits = np.log(np.array([[0.2, 0.4, 0.1, 0.1, 0.1, 0.05, 0.05]], "float32"))
    expected = {
        "majority": -np.log(0.2),
        "multi_target": -np.log(0.4),
        "cross_entropy": -0.75 * np.log(0.2) - 0.25 * np.log(0.4),
        "average": -np.log(0.6),
    }
    for scheme, value in expected.items():
        assert float(build(scheme).objective(y, logits).loss) == pytest.approx(value, rel=1e-5)


def test_gradient_of_the_cross_entropy_on_votes(build):
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = build("cross_entropy").objective(Y, logits).loss
    np.testing.assert_allclose(tape.gradient(loss, logits), (PROBS - CANDIDATES) / B, atol=1e-6)


def test_labels_are_drawn_anew_at_every_visit_and_as_often_as_they_were_chosen(build):
    keras.utils.set_random_seed(0)
    model = build("probability")
    many = {"candidates": np.tile(CANDIDATES, (900, 1))}
    first, second = (np.reshape(model.targets(many), (900, B, C)) for _ in range(2))
    assert set(np.unique(first)) == {0.0, 1.0} and (first.sum(-1) == 1).all()
    np.testing.assert_allclose(first.mean(0), CANDIDATES, atol=0.07)  # 4 standard errors of 900 draws
    assert (first != second).any()


def test_draws_go_on_where_a_copy_of_the_weights_left_off(build):
    keras.utils.set_random_seed(0)
    model, twin = build("probability"), build("probability")
    for _ in range(3):
        model.targets(Y)
    for own, other in zip(twin.variables, model.variables, strict=True):
        own.assign(other)
    for _ in range(3):
        np.testing.assert_array_equal(model.targets(Y), twin.targets(Y))


def test_refuses_unknown_schemes_and_batches_without_candidates(build):
    with pytest.raises(ValueError, match="scheme: 'median'; wanted one of: majority, multi_target"):
        build("median")
    bare = {"label": LABELS, "distribution": Y["distribution"]}
    for scheme in SCHEMES[1:]:
        with pytest.raises(ValueError, match="needs y\\['candidates'\\]"):
            build(scheme).objective(bare, LOGITS)
    assert np.isfinite(float(build("majority").objective(bare, LOGITS).loss))
