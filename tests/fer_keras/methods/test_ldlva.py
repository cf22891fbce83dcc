import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.emotions import EMOTIONS_7
from fer_keras.methods import LDLVA

N, K, V, C = 30, 4, 10, 7


@pytest.fixture(scope="module")
def build(flat_backbone):
    backbone = flat_backbone(V)
    return lambda **options: LDLVA(backbone, EMOTIONS_7, num_samples=N, **options)


def batch(seed=0, size=6, k=K):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(N)[:size]
    labels = rng.integers(0, C, N)
    neighbors = rng.integers(0, N, (size, k)).astype("int32")
    x = {
        "sample_id": ids,
        "neighbor_ids": neighbors,
        "neighbor_labels": labels[neighbors],
        "neighbor_differences": rng.normal(0, 0.2, (size, k, 2)).astype("float32"),
    }
    y = {"label": labels[ids], "distribution": np.eye(C, dtype="float32")[labels[ids]]}
    outputs = (
        rng.normal(size=(size, V)), rng.dirichlet(np.ones(C), size),
        rng.normal(size=(size, k, V)), rng.dirichlet(np.ones(C), (size, k)),
    )  # fmt: skip
    return x, y, tuple(keras.ops.convert_to_tensor(o.astype("float32")) for o in outputs)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.floats(0, 1000), fidelity=st.sampled_from(["paper", "official"]))
def test_uncertainty_stays_in_the_unit_interval(build, seed, rate, fidelity):
    model = build(fidelity=fidelity, uncertainty_learning_rate=rate)
    for step in range(3):
        x, y, outputs = batch(seed + step)
        model.after_step(x, y, model.objective(x, y, *outputs))
    found = model.uncertainties()
    assert found.shape == (N,) and np.all((found >= 0) & (found <= 1))


@pytest.mark.parametrize("fidelity", ["paper", "official"])
def test_uncertainty_follows_whom_the_network_agrees_with(build, fidelity):
    """Up where the prediction is the neighbours', down (or at its bound) where it is the given label's."""
    model = build(fidelity=fidelity, uncertainty_learning_rate=1.0, initial_uncertainty=0.5)
    x, y, (features, _, neighbor_features, _) = batch(size=2)
    given, other = y["label"], (y["label"] + 1) % C
    sharp = 0.02 + 0.86 * np.eye(C, dtype="float32")
    neighbor_probs = np.repeat(sharp[other][:, None], K, 1)
    probs = np.stack([sharp[other[0]], sharp[given[1]]])
    model.after_step(x, y, model.objective(x, y, features, probs, neighbor_features, neighbor_probs))
    first, second = model.uncertainties()[x["sample_id"]]
    assert first > 0.5 > second
    untouched = np.setdiff1d(np.arange(N), x["sample_id"])
    np.testing.assert_allclose(model.uncertainties()[untouched], 0.5, rtol=1e-6)


def test_paper_uncertainty_leaves_zero(build):
    model = build(fidelity="paper")
    assert not model.uncertainties().any()
    x, y, outputs = batch()
    model.after_step(x, y, model.objective(x, y, *outputs))
    assert model.uncertainties().any()


def test_a_sample_without_neighbors_trains_on_its_label(build):
    model = build(initial_uncertainty=0.5)
    x, y, outputs = batch()
    x["neighbor_differences"][0] = np.inf
    objective = model.objective(x, y, *outputs)
    np.testing.assert_allclose(objective.state["target"][0], y["distribution"][0], atol=1e-7)
    model.after_step(x, y, objective)
    assert model.uncertainties()[x["sample_id"][0]] == pytest.approx(0.5)
    assert np.abs(model.uncertainties()[x["sample_id"][1:]] - 0.5).min() > 0


def test_bank_leaves_out_samples_that_have_not_passed_by(build):
    model = build(neighbor_mode="bank", adaptive_similarity=False, initial_uncertainty=1.0 - 1e-6)
    x, y, (features, probs, _, _) = batch()
    x["neighbor_differences"][:] = 0.0
    known = x["neighbor_ids"][0, 1]
    x["neighbor_ids"][0] = [i for i in range(N) if i != known][:K]
    x["neighbor_ids"][0, 2] = known
    stored = np.random.default_rng(1).dirichlet(np.ones(C)).astype("float32")
    model.probs_bank.write([known], stored[None])
    neighbors = [bank.read(x["neighbor_ids"]) for bank in (model.features_bank, model.probs_bank)]
    objective = model.objective(x, y, features, probs, *neighbors)
    np.testing.assert_allclose(objective.state["neighbor_distribution"][0], stored, rtol=1e-5)


def test_bank_keeps_an_average_but_the_first_entry_whole(build):
    model = build(neighbor_mode="bank", bank_momentum=0.75)
    x, y, outputs = batch()
    ids, first, second = x["sample_id"], outputs[1], np.roll(outputs[1], 1, axis=0)
    for probs in (first, second):
        model.after_step(x, y, model.objective(x, y, outputs[0], probs, *outputs[2:]))
        expected = probs if probs is first else 0.75 * first + 0.25 * second
        np.testing.assert_allclose(model.probs_bank.read(ids), expected, rtol=1e-5)


@pytest.mark.parametrize("k", [1, 32])
def test_any_number_of_neighbors(build, k):
    x, y, outputs = batch(k=k)
    objective = build().objective(x, y, *outputs)
    assert objective.state["calibration"].shape == (6, k)
    np.testing.assert_allclose(np.sum(objective.state["target"], -1), 1.0, rtol=1e-5)


def test_switches(build):
    x, y, outputs = batch()
    without = build(label_distribution=False).objective(x, y, *outputs)
    np.testing.assert_array_equal(without.state["target"], y["distribution"])
    plain = build(adaptive_similarity=False).objective(x, y, *outputs)
    np.testing.assert_array_equal(plain.state["calibration"], np.ones((6, K)))
    shared = build(uncertainty=False, shared_uncertainty=0.25)
    np.testing.assert_allclose(shared.uncertainties(), 0.25)
    shared.after_step(x, y, shared.objective(x, y, *outputs))
    np.testing.assert_allclose(shared.uncertainties(), 0.25)
    assert "discriminative" not in build(discriminative=False).objective(x, y, *outputs).logs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fidelity": "code"}, "fidelity: 'code'; wanted one of: paper, official"),
        ({"neighbor_mode": "memory"}, "neighbor_mode: 'memory'; wanted one of: images, bank"),
        ({"neighbor_mode": "bank", "neighbor_gradient": True}, "passes no gradient"),
        ({"shared_uncertainty": 1.5}, r"shared_uncertainty: 1.5; wanted a value in \[0, 1\]"),
    ],
)
def test_refuses_bad_options(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_says_what_is_missing(build):
    x = {"image": np.zeros((2, 8, 8, 3), "uint8"), "sample_id": np.arange(2)}
    with pytest.raises(ValueError, match="fer-tfrecords add-neighbors"):
        build().training_loss(x, {"label": np.zeros(2), "distribution": np.eye(C)[:2]})
    x["neighbor_ids"] = np.zeros((2, K), "int32")
    with pytest.raises(ValueError, match="neighbor_mode: bank"):
        build().training_loss(x, {"label": np.zeros(2), "distribution": np.eye(C)[:2]})
