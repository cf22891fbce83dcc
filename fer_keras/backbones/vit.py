"""Vision Transformers whose patches stay a map, so that every method takes them like a convolutional network."""

import functools
from collections.abc import Callable

import keras
from keras import layers

from fer_keras.layers.pixel_normalization import PixelNormalization
from fer_keras.layers.sincos_positions import SinCosPositions
from fer_keras.layers.transformer_block import TransformerBlock

STAGES = 4
_EMBEDDING = ("pixel_normalization", "patch_embedding", "positions", "tokens")
"""The layers that turn pixels into tokens, in order."""


def vision_transformer(
    image_size: tuple[int, int],
    name: str = "vit",
    patch_size: int = 16,
    width: int = 192,
    depth: int = 12,
    heads: int = 3,
    mlp_ratio: float = 4.0,
    drop_path: float = 0.0,
) -> keras.Model:
    """Builds a Vision Transformer (Dosovitskiy et al., 2021) in the arrangement of masked autoencoders.

    Patches of the image are projected, fixed sine-cosine positions are added, and pre-norm blocks follow, then a last
    normalization. There is no class token: the output is the map of all patches, which the methods average or weigh
    like any other. After each quarter of the blocks the tokens are a map again, in the layer ``stage<i>``, where a
    method may cut a branch; all maps have the same size.

    Args:
        image_size: (H, W) in pixels, multiples of `patch_size`.
        name: of the model.
        patch_size: P, side of a patch in pixels; 6 or 8 suit crops of 48 pixels.
        width: V, a multiple of 4 and of `heads`.
        depth: number of blocks.
        heads: attention heads of a block.
        mlp_ratio: hidden width of a block's dense layers, as a multiple of V.
        drop_path: stochastic depth of the last block; it rises to this from 0 in the first.

    Returns:
        A functional model: input ``image`` (B, H, W, 3) float32 pixels 0..255, output the feature map
        (B, H/P, W/P, V), the layer ``stage<S>`` with S = min(4, depth).

    Raises:
        ValueError: sizes that do not divide or are not positive, or a rate outside 0 to 1.

    Example:
        >>> vision_transformer((48, 48), patch_size=6, width=32, depth=4, heads=2).output.shape
        (None, 8, 8, 32)
    """
    if min(patch_size, width, depth, heads, mlp_ratio) <= 0:
        raise ValueError("patch_size, width, depth, heads and mlp_ratio should be above 0")
    if not 0 <= drop_path < 1:
        raise ValueError(f"drop_path should be at least 0 and below 1, not {drop_path}")
    if image_size[0] % patch_size or image_size[1] % patch_size:
        raise ValueError(
            f"height and width should be multiples of patch_size, which is {patch_size}; set data.image_size, or "
            "patch_size in backbone.options"
        )
    image = keras.Input((*image_size, 3), name="image")
    x = PixelNormalization("torch", name="pixel_normalization")(image)
    limit = (6 / (3 * patch_size**2 + width)) ** 0.5  # Glorot's, of the matrix that the projection is
    project = keras.initializers.RandomUniform(-limit, limit)
    x = layers.Conv2D(width, patch_size, patch_size, kernel_initializer=project, name="patch_embedding")(x)
    grid = x.shape[1:3]
    x = SinCosPositions(name="positions")(x)
    x = layers.Reshape((grid[0] * grid[1], width), name="tokens")(x)
    stages = min(STAGES, depth)
    ends = {-(-depth * stage // stages): stage for stage in range(1, stages)}
    for number in range(1, depth + 1):
        rate = drop_path * (number - 1) / max(depth - 1, 1)
        x = TransformerBlock(heads, mlp_ratio, rate, name=f"block{number}")(x)
        if number in ends:
            x = layers.Reshape((*grid, width), name=f"stage{ends[number]}")(x)
            x = layers.Reshape((grid[0] * grid[1], width), name=f"stage{ends[number]}_tokens")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    return keras.Model(image, layers.Reshape((*grid, width), name=f"stage{stages}")(x), name=name)


def is_vision_transformer(backbone: keras.Model) -> bool:
    """Whether a backbone was built by `vision_transformer`."""
    return any(isinstance(layer, TransformerBlock) for layer in backbone.layers)


def embed_patches(backbone: keras.Model, images):
    """The first part of a Vision Transformer: tokens of all patches.

    Args:
        backbone: of `vision_transformer`.
        images: (B, H, W, 3) pixels 0..255.

    Returns:
        (B, N, V): the projected patches, row by row, with their positions.
    """
    x = images
    for name in _EMBEDDING:
        x = backbone.get_layer(name)(x)
    return x


def encode_tokens(backbone: keras.Model, tokens, training: bool = False):
    """The second part of a Vision Transformer, for any number of its tokens.

    Args:
        backbone: of `vision_transformer`.
        tokens: (B, n, V), some or all of those of `embed_patches`, in any order.
        training: whether stochastic depth is active.

    Returns:
        (B, n, V), normalized; of all tokens in their order: the backbone's output, row by row.
    """
    blocks = [layer for layer in backbone.layers if isinstance(layer, TransformerBlock)]
    for block in blocks:
        tokens = block(tokens, training=training)
    return backbone.get_layer("norm")(tokens)


OPTIONS = ["patch_size", "width", "depth", "heads", "mlp_ratio", "drop_path"]
"""The arguments that ``backbone.options`` may set."""

VITS: dict[str, Callable[..., keras.Model]] = {
    name: functools.partial(vision_transformer, name=name, width=64 * heads, heads=heads)
    for name, heads in {"vit_tiny": 3, "vit_small": 6, "vit_base": 12}.items()
}
"""ViT-Ti, ViT-S and ViT-B: 12 blocks of width 192, 384 and 768 (5.4, 21 and 85 million parameters)."""
