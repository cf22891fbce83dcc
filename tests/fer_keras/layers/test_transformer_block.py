import keras
import numpy as np
import pytest
from scipy.special import erf

from fer_keras.layers.transformer_block import TransformerBlock

TOKENS = np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")


@pytest.fixture
def block():
    """A block in which no weight is at its start of zeros or ones."""
    keras.utils.set_random_seed(1)
    block = TransformerBlock(heads=2, mlp_ratio=1.5)
    block.build(TOKENS.shape)
    rng = np.random.default_rng(2)
    for weight in block.weights:
        weight.assign(weight + rng.normal(scale=0.3, size=weight.shape))
    return block


def norm(x, gamma, beta):
    deviation = x - x.mean(-1, keepdims=True)
    return deviation / np.sqrt((deviation**2).mean(-1, keepdims=True) + 1e-6) * gamma + beta


def slow_block(block: TransformerBlock, tokens: np.ndarray) -> np.ndarray:
    """The equations, one sample, head and token at a time."""
    read = {weight.path.removeprefix(f"{block.name}/"): np.asarray(weight, "float64") for weight in block.weights}
    out = np.array(tokens, "float64")
    for sample in out:
        normed = norm(sample, read["norm1/gamma"], read["norm1/beta"])
        attended = np.tile(read["attention/attention_output/bias"], (len(sample), 1))
        for head in range(block.heads):
            query, key, value = (
                normed @ read[f"attention/{name}/kernel"][:, head] + read[f"attention/{name}/bias"][head]
                for name in ("query", "key", "value")
            )
            for token in range(len(sample)):
                scores = np.array([query[token] @ other for other in key]) / np.sqrt(query.shape[1])
                shares = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
                attended[token] += shares @ value @ read["attention/attention_output/kernel"][head]
        sample += attended
        hidden = norm(sample, read["norm2/gamma"], read["norm2/beta"]) @ read["expand/kernel"] + read["expand/bias"]
        hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
        sample += hidden @ read["contract/kernel"] + read["contract/bias"]
    return out


def test_it_computes_the_equations(block):
    np.testing.assert_allclose(block(TOKENS), slow_block(block, TOKENS), atol=2e-5)


def test_the_kernels_of_attention_start_like_those_of_square_matrices():
    block = TransformerBlock(heads=3)
    block.build((None, 4, 192))
    kernels = [weight for weight in block.attention.weights if weight.name == "kernel"]
    assert len(kernels) == 4
    for kernel in kernels:
        assert np.std(kernel) == pytest.approx(np.sqrt(1 / 192), rel=0.02)
    assert np.abs(np.asarray(kernels[0]) - np.asarray(kernels[1])).max() > 0.01


def test_dropped_paths_leave_samples_as_they_are_and_scale_the_others():
    block = TransformerBlock(heads=2, drop_path=0.5)
    tokens = np.repeat(TOKENS[:1], 400, axis=0)
    out = np.asarray(block(tokens, training=True))
    untouched = np.abs(out - tokens).max((1, 2)) == 0
    assert untouched.mean() == pytest.approx(0.25, abs=0.08)  # both additions left out
    attended = np.asarray(block.attention(block.norm1(TOKENS[:1]), block.norm1(TOKENS[:1])))[0]
    kept_first = TOKENS[0] + 2 * attended
    assert (np.abs(out - kept_first).max((1, 2)) < 1e-5).mean() == pytest.approx(0.25, abs=0.08)
    assert len(np.unique(np.round(out, 4), axis=0)) == 4


def test_heads_must_share_the_width():
    with pytest.raises(ValueError, match="a width of 8 cannot be shared by 3 attention heads"):
        TransformerBlock(heads=3)(TOKENS)


def test_its_configuration_makes_its_like():
    block = TransformerBlock(heads=2, mlp_ratio=1.5, drop_path=0.1)
    assert TransformerBlock.from_config(block.get_config()).get_config() == block.get_config()
