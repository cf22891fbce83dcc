"""``restore_statistics``: BatchNorm learns what its inputs are like, and the network goes on computing what it did."""

import keras
import numpy as np
import tensorflow as tf

from fer_keras.backbones.weights.matching import WeightsError

BATCH = 32


def restore_statistics(backbone: keras.Model, images: np.ndarray) -> int:
    """Gives BatchNorm layers the mean and variance of their inputs, without a change of the network's outputs.

    A network whose BatchNorm was folded into its kernels works in inference, but breaks when it is trained: BatchNorm
    then divides by the statistics of the batch, which are not those it was folded with. Per channel, with m and v the
    mean and variance of a layer's inputs over `images`,

        mean' = m,  variance' = v,
        gamma' = gamma sqrt((v + epsilon) / (variance + epsilon)),
        beta' = beta + gamma (m - mean) / sqrt(variance + epsilon),

    is the same function in inference, and nearly the same in training mode. All layers are measured at once: none
    changes what the next one sees.

    Args:
        backbone: functional model of one input, pixels 0..255 (B, H, W, 3).
        images: (N, H, W, 3) images like those of the training to come, of its size.

    Returns:
        Number of BatchNorm layers that were changed.

    Raises:
        WeightsError: the network has no BatchNorm layer, or one without scale or offset.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> network = build_backbone("mobilenet", (32, 32), alpha=0.25)
        >>> restore_statistics(network, np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3)))
        27
    """
    norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        raise WeightsError(f"{backbone.name} has no BatchNorm layer whose statistics could be restored")
    for layer in norms:
        if not (layer.scale and layer.center):
            raise WeightsError(f"{layer.name} of {backbone.name} has no scale or no offset that could make up for it")
    inputs = keras.Model(backbone.input, [layer.input for layer in norms])

    @tf.function(reduce_retracing=True)
    def moments(batch: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        return [tf.nn.moments(x, tuple(range(len(x.shape) - 1))) for x in tf.nest.flatten(inputs(batch))]

    batches = np.split(images, range(BATCH, len(images), BATCH))
    measured = [moments(tf.constant(batch, tf.float32)) for batch in batches]
    shares = np.array([len(batch) for batch in batches]) / len(images)
    for layer, pairs in zip(norms, zip(*measured, strict=True), strict=True):
        means, variances = (np.array(each, np.float64) for each in zip(*pairs, strict=True))
        mean = shares @ means
        variance = shares @ (variances + (means - mean) ** 2)
        gamma, beta, old_mean, old_variance = (array.astype(np.float64) for array in layer.get_weights())
        slope = gamma / np.sqrt(old_variance + layer.epsilon)
        restored = (slope * np.sqrt(variance + layer.epsilon), beta + slope * (mean - old_mean), mean, variance)
        layer.set_weights([array.astype(np.float32) for array in restored])
    return len(norms)
