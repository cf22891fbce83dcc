"""Ten crops of an image: corners and centre, and the same mirrored."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

    from fer_keras.data.preprocessing import ImageSize

CROPS = 10


def ten_crop(images: "tf.Tensor", size: "ImageSize") -> "tf.Tensor":
    """Cuts ten crops of each image, one after the other.

    Args:
        images: (B, H, W, 3).
        size: (h, w) of the crops, not larger than the images.

    Returns:
        (B * 10, h, w, 3): of each image upper left, upper right, lower left, lower right, centre; then those mirrored.

    Example:
        >>> import tensorflow as tf
        >>> ten_crop(tf.zeros((2, 6, 6, 3), tf.uint8), (4, 4)).shape
        TensorShape([20, 4, 4, 3])
    """
    import tensorflow as tf

    bottom, right = images.shape[1] - size[0], images.shape[2] - size[1]
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (round(bottom / 2), round(right / 2))]
    crops = tf.stack([_cut(images, top, left, size) for top, left in corners], axis=1)
    crops = tf.concat([crops, tf.reverse(crops, axis=[3])], axis=1)
    return tf.reshape(crops, (-1, *size, 3))


def center_crop(images: "tf.Tensor", size: "ImageSize") -> "tf.Tensor":
    """The fifth of the `ten_crop`: (B, H, W, 3) -> (B, h, w, 3)."""
    return _cut(images, round((images.shape[1] - size[0]) / 2), round((images.shape[2] - size[1]) / 2), size)


def _cut(images: "tf.Tensor", top: int, left: int, size: "ImageSize") -> "tf.Tensor":
    return images[:, top : top + size[0], left : left + size[1]]
