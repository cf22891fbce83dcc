"""A small residual network for face crops of 48-64 pixels, made for CPUs and phones."""

from collections.abc import Sequence

import keras
from keras import layers

from fer_keras.layers.pixel_normalization import PixelNormalization

MINIMUM_SIZE = 16


def fer_mini(
    image_size: tuple[int, int],
    widths: Sequence[int] = (24, 48, 96, 144),
    blocks: Sequence[int] = (1, 1, 2, 1),
) -> keras.Model:
    """Builds the network: a stem of stride 2, then stages of basic residual blocks (He et al., 2016).

    The first block of every stage but the first halves the map; its shortcut is average pooling before a 1x1
    convolution (ResNet-D, He et al., 2019), which throws no pixel away. The last activation of stage i is the
    layer ``stage<i>``, where a method may cut a branch.

    Args:
        image_size: (H, W) in pixels, each at least 16.
        widths: channels of each stage; the stem has the first.
        blocks: residual blocks in each stage.

    Returns:
        A functional model ``fer_mini``: input ``image`` (B, H, W, 3) float32 pixels 0..255, output the feature
        map (B, H/2**S, W/2**S, widths[-1]) with S = len(widths), sizes rounded up.

    Raises:
        ValueError: the image is too small, or `widths` and `blocks` are empty, unequal in length or not positive.

    Example:
        >>> fer_mini((48, 48)).output.shape
        (None, 3, 3, 144)
    """
    if min(image_size) < MINIMUM_SIZE:
        raise ValueError(f"Input size must be at least {MINIMUM_SIZE}x{MINIMUM_SIZE}")
    if not widths or len(widths) != len(blocks) or min(*widths, *blocks) < 1:
        raise ValueError(f"widths and blocks need one positive number per stage, not {list(widths)} and {list(blocks)}")
    image = keras.Input((*image_size, 3), name="image")
    x = PixelNormalization("tf", name="pixel_normalization")(image)
    x = _convolution(x, widths[0], 3, 2, "stem")
    x = layers.ReLU(name="stem")(x)
    for stage, (width, count) in enumerate(zip(widths, blocks), start=1):
        for block in range(1, count + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            prefix = f"stage{stage}_block{block}"
            x = _basic_block(x, width, strides, prefix, output=f"stage{stage}" if block == count else prefix)
    return keras.Model(image, x, name="fer_mini")


def _convolution(x, filters: int, kernel: int, strides: int, name: str):
    """Convolution without bias, then batch normalization, whose offset takes the bias' place."""
    x = layers.Conv2D(
        filters, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def _basic_block(x, filters: int, strides: int, prefix: str, output: str):
    shortcut = x
    if strides > 1:
        shortcut = layers.AveragePooling2D(strides, padding="same", name=f"{prefix}_pool")(shortcut)
    if x.shape[-1] != filters or strides > 1:
        shortcut = _convolution(shortcut, filters, 1, 1, f"{prefix}_shortcut")
    y = layers.ReLU(name=f"{prefix}_relu")(_convolution(x, filters, 3, strides, f"{prefix}_1"))
    y = _convolution(y, filters, 3, 1, f"{prefix}_2")
    return layers.ReLU(name=output)(layers.Add(name=f"{prefix}_add")([y, shortcut]))
