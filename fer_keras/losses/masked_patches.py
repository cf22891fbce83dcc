"""What a masked autoencoder is to say of the patches that it does not see (He et al., 2022)."""

from keras import ops

EPSILON = 1e-6


def to_patches(images, patch_size: int):
    """Cuts images into patches.

    Args:
        images: (B, H, W, C), H and W multiples of P.
        patch_size: P.

    Returns:
        (B, N, P * P * C): the patches row by row, within each the pixels row by row.

    Example:
        >>> import numpy as np
        >>> to_patches(np.arange(8).reshape(1, 2, 4, 1), 2).numpy().tolist()
        [[[0, 1, 4, 5], [2, 3, 6, 7]]]
    """
    height, width, channels = images.shape[1:]
    rows, columns = height // patch_size, width // patch_size
    x = ops.reshape(images, (-1, rows, patch_size, columns, patch_size, channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, rows * columns, patch_size**2 * channels))


def from_patches(patches, grid: tuple[int, int], patch_size: int):
    """The inverse of `to_patches`.

    Args:
        patches: (B, h * w, P * P * C).
        grid: (h, w), the patches in each direction.
        patch_size: P.

    Returns:
        (B, h * P, w * P, C).
    """
    rows, columns = grid
    x = ops.reshape(patches, (-1, rows, columns, patch_size, patch_size, patches.shape[-1] // patch_size**2))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, rows * patch_size, columns * patch_size, x.shape[-1]))


def normalize_patches(patches):
    """Patches with mean 0 and variance 1 each, the targets of the autoencoder.

    Args:
        patches: (B, N, D) float.

    Returns:
        The normalised patches (B, N, D), and what undoes it: the means (B, N, 1) and the square roots (B, N, 1) of
        variance + 1e-6. The variance is the unbiased one, as in the authors' code.
    """
    size = patches.shape[-1]
    mean = ops.mean(patches, axis=-1, keepdims=True)
    variance = ops.sum((patches - mean) ** 2, axis=-1, keepdims=True) / (size - 1)
    deviation = ops.sqrt(variance + EPSILON)
    return (patches - mean) / deviation, mean, deviation


def masked_error(predictions, targets, mask):
    """Mean squared error on the masked patches alone.

    Args:
        predictions, targets: (B, N, D) float.
        mask: (B, N), 1 = masked, 0 = seen.

    Returns:
        Scalar: the sum over masked patches of a patch's mean squared error, divided by their number.
    """
    error = ops.mean((predictions - targets) ** 2, axis=-1)
    return ops.sum(error * mask) / ops.sum(mask)
