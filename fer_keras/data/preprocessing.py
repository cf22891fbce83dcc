"""From an encoded image to the pixels a network sees: one function for training, evaluation, inference and export.

Normalisation is not here: every backbone takes pixels 0..255 and scales them itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

ImageSize = tuple[int, int]
"""(height, width) in pixels."""


def decode_image(encoded: "tf.Tensor") -> "tf.Tensor":
    """Decodes one JPEG or PNG file (also a GIF's only frame), as a graph op.

    Grey images are repeated over the three channels; of 16-bit PNG the high byte is kept; an alpha channel is
    dropped, not composited; CMYK becomes RGB; an EXIF orientation is not applied. The inverse cosine transform
    of JPEG is the accurate integer one, so that every machine gives the same pixels.

    Args:
        encoded: scalar string.

    Returns:
        (H, W, 3) uint8 RGB; H and W are known only when the graph runs.

    Raises:
        tf.errors.InvalidArgumentError: the file is damaged or of another format (when the graph runs).

    Example:
        >>> import tensorflow as tf
        >>> decode_image(tf.io.encode_png(tf.zeros((4, 6, 1), tf.uint8))).shape
        TensorShape([4, 6, 3])
    """
    import tensorflow as tf

    # Despite its name the op reads all three formats; decode_image() has no dct_method.
    image = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(image, (None, None, 3))


def resize(images: "tf.Tensor", size: ImageSize) -> "tf.Tensor":
    """Resizes images whose size differs from `size`: bilinear, antialiased, rounded to whole pixel values.

    Images that already have the size pass unchanged (not even rounded). The aspect ratio is not kept.

    Args:
        images: (..., H, W, 3) pixels 0..255, any number type.
        size: (height, width) wanted.

    Returns:
        (..., height, width, 3) float32.

    Example:
        >>> import numpy as np
        >>> resize(np.zeros((2, 5, 96, 96, 3), np.uint8), (48, 48)).shape
        TensorShape([2, 5, 48, 48, 3])
    """
    import tensorflow as tf

    images = tf.cast(images, tf.float32)
    if tuple(images.shape[-3:-1]) == tuple(size):
        return images

    def resample() -> "tf.Tensor":
        shape = tf.shape(images)
        flat = tf.reshape(images, tf.concat([[-1], shape[-3:]], axis=0))
        flat = tf.image.resize(flat, size, method="bilinear", antialias=True)
        flat = tf.clip_by_value(tf.round(flat), 0.0, 255.0)
        return tf.reshape(flat, tf.concat([shape[:-3], size, [3]], axis=0))

    if None in images.shape[-3:-1]:
        # Resampling to the same size gives the same pixels but costs five times the decoding of a 48x48 crop.
        fits = tf.reduce_all(tf.equal(tf.shape(images)[-3:-1], size))
        resized = tf.cond(fits, lambda: images, resample)
    else:
        resized = resample()
    return tf.ensure_shape(resized, (*images.shape[:-3], *size, 3))


def decode_and_resize(encoded: "tf.Tensor", size: ImageSize) -> "tf.Tensor":
    """Decodes one image file and resizes it: `decode_image`, then `resize`.

    Args:
        encoded: scalar string, see `decode_image`.
        size: (height, width) wanted.

    Returns:
        (height, width, 3) uint8 RGB.

    Example:
        >>> import tensorflow as tf
        >>> decode_and_resize(tf.io.encode_jpeg(tf.zeros((9, 7, 3), tf.uint8)), (48, 48)).dtype
        tf.uint8
    """
    import tensorflow as tf

    return tf.cast(resize(decode_image(encoded), size), tf.uint8)


def decode_batch(encoded: "tf.Tensor", size: ImageSize) -> "tf.Tensor":
    """`decode_and_resize` for a batch of files, which may differ in format and size.

    Args:
        encoded: (B,) string.
        size: (height, width) wanted.

    Returns:
        (B, height, width, 3) uint8 RGB.

    Example:
        >>> import tensorflow as tf
        >>> files = tf.stack([tf.io.encode_png(tf.zeros((n, n, 3), tf.uint8)) for n in (4, 8)])
        >>> decode_batch(files, (6, 6)).shape
        TensorShape([2, 6, 6, 3])
    """
    import tensorflow as tf

    return tf.map_fn(lambda file: decode_and_resize(file, size), encoded, fn_output_signature=tf.uint8)
