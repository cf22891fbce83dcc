"""Class embeddings spread evenly over the sphere, whatever the frequencies of the classes."""

import numpy as np
from keras import ops


def embedding_uniformity(embeddings, sharpness: float = 2.0):
    """``log( 1 / (C (C - 1)) sum_{i != j} exp(-t ||e_i - e_j||^2) )`` of embeddings scaled to length 1.

    The uniformity of Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
    Uniformity on the Hypersphere", ICML 2020; least where the embeddings form a simplex.

    Args:
        embeddings: (C, D), C at least 2, none of them 0.
        sharpness: t.

    Returns:
        A scalar, at most 0.

    Example:
        >>> float(embedding_uniformity([[2.0, 0.0], [-1.0, 0.0]]))  # opposite: ||.||^2 = 4
        -8.0
    """
    embeddings = ops.convert_to_tensor(embeddings)
    unit = embeddings / ops.sqrt(ops.sum(ops.square(embeddings), axis=-1, keepdims=True))
    first, second = np.nonzero(~np.eye(embeddings.shape[0], dtype=bool))
    # Between vectors of length 1; without a root, whose gradient is infinite where two are equal.
    squares = 2.0 - 2.0 * ops.sum(ops.take(unit, first, axis=0) * ops.take(unit, second, axis=0), axis=-1)
    return ops.logsumexp(-sharpness * squares) - np.log(len(first))
