import keras
import numpy as np
import pytest

from fer_keras.layers.adaptive_similarity import AdaptiveSimilarity


@pytest.mark.parametrize(("fidelity", "floor"), [("paper", 0.0), ("official", 0.2141)])
def test_scores_stay_in_range(fidelity, floor):
    layer = AdaptiveSimilarity(fidelity)
    rng = np.random.default_rng(0)
    score = layer(100 * rng.normal(size=(4, 16)), 100 * rng.normal(size=(4, 5, 16)), training=True)
    assert score.shape == (4, 5)
    assert floor <= float(keras.ops.min(score)) <= float(keras.ops.max(score)) <= 1.0


def test_each_neighbor_is_scored_on_its_own():
    layer = AdaptiveSimilarity("paper")
    rng = np.random.default_rng(0)
    own, others = rng.normal(size=(3, 8)).astype("float32"), rng.normal(size=(3, 4, 8)).astype("float32")
    together = layer(own, others)
    one_by_one = np.concatenate([layer(own, others[:, k : k + 1]) for k in range(4)], axis=1)
    np.testing.assert_allclose(together, one_by_one, rtol=1e-5)


@pytest.mark.parametrize(("fidelity", "norm"), [("paper", "LayerNormalization"), ("official", "BatchNormalization")])
def test_widths_and_norms_of_the_publication(fidelity, norm):
    layer = AdaptiveSimilarity(fidelity)
    layer.build((None, 10), (None, None, 10))
    assert [dense.kernel.shape for dense in (*layer.hidden, layer.score)] == [(20, 512), (512, 256), (256, 1)]
    assert {(type(n).__name__, n.epsilon) for n in layer.norms} == {(norm, 1e-3)}
    assert layer.floor == -1.3


def test_config_round_trip():
    layer = AdaptiveSimilarity("paper", widths=(8, 4))
    assert AdaptiveSimilarity.from_config(layer.get_config()).widths == (8, 4)
