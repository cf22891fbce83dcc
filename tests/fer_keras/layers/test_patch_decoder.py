import numpy as np
import pytest

from fer_keras.layers.patch_decoder import PatchDecoder
from fer_keras.layers.sincos_positions import SinCosPositions

TOKENS = np.random.default_rng(0).normal(size=(2, 2, 8)).astype("float32")
RESTORE = np.array([[1, 2, 0, 5, 3, 4], [0, 4, 1, 2, 5, 3]], "int32")


def test_seen_tokens_stand_in_their_places_and_the_mask_token_in_all_others():
    decoder = PatchDecoder((2, 3), outputs=5, width=12, depth=2, heads=2)
    out = decoder(TOKENS, RESTORE)
    embedded = np.asarray(decoder.embedding(TOKENS))
    placed = np.zeros((2, 6, 12), "float32")
    for sample in range(2):
        for place, source in enumerate(RESTORE[sample]):
            placed[sample, place] = embedded[sample, source] if source < 2 else np.asarray(decoder.mask_token)[0, 0]
    x = np.asarray(SinCosPositions()(placed.reshape(2, 2, 3, 12))).reshape(2, 6, 12)
    for block in decoder.blocks:
        x = block(x)
    np.testing.assert_allclose(out, decoder.pixels(decoder.norm(x)), atol=1e-5)
    assert out.shape == (2, 6, 5) and out.dtype == "float32"


def test_the_order_of_what_is_seen_does_not_matter():
    decoder = PatchDecoder((2, 3), outputs=5, width=12, depth=1, heads=2)
    swapped = np.where(RESTORE < 2, 1 - RESTORE, RESTORE)
    np.testing.assert_allclose(decoder(TOKENS[:, ::-1], swapped), decoder(TOKENS, RESTORE), atol=1e-6)


def test_sizes_must_divide():
    with pytest.raises(ValueError, match="a width of 12 cannot be shared by 5 attention heads"):
        PatchDecoder((2, 3), outputs=5, width=12, heads=5)(TOKENS, RESTORE)


def test_its_configuration_makes_its_like():
    decoder = PatchDecoder((2, 3), outputs=5, width=12, depth=1, heads=2)
    assert PatchDecoder.from_config(decoder.get_config()).get_config() == decoder.get_config()
