"""The label distribution of LDLVA: from neighbours in the valence-arousal plane to a training target.

Le et al., "Uncertainty-aware Label Distribution Learning for Facial Expression Recognition", WACV 2023,
equations (2), (4)-(6) and (9); the numbers in the docstrings are the paper's.
"""

from keras import ops

from fer_keras.losses.soft_cross_entropy import soft_cross_entropy


def local_similarity(differences, scale: float = 0.5, fidelity: str = "official"):
    """Similarity of a sample to each neighbour in the valence-arousal plane, equation (2).

    Args:
        differences: (..., K, 2) differences of valence and arousal; infinite where there is no neighbour.
        scale: delta, in units of valence.
        fidelity: ``"paper"``: ``exp(-||a_i - a_k||_2^2 / delta^2)``; ``"official"`` (released code):
            ``exp(-||a_i - a_k||_1 / delta)``.

    Returns:
        (..., K) similarities in [0, 1]; 0 where there is no neighbour.

    Example:
        >>> float(local_similarity([[[0.5, 0.0]]], scale=0.5)[0, 0])  # doctest: +ELLIPSIS
        0.3678...
    """
    differences = ops.convert_to_tensor(differences)
    if fidelity == "paper":
        return ops.exp(-ops.sum(ops.square(differences), axis=-1) / scale**2)
    return ops.exp(-ops.sum(ops.abs(differences), axis=-1) / scale)


def contribution_degrees(similarity, calibration):
    """How much each neighbour contributes, equation (4): ``c = zeta * s``.

    Args:
        similarity: (B, K) local similarities s.
        calibration: (B, K) calibration scores zeta in (0, 1).

    Returns:
        (B, K).
    """
    return calibration * similarity


def aggregate_neighbors(contribution, neighbor_probs):
    """The neighbours' distribution, equation (5): ``sum_k c_k f(x_k) / sum_k c_k``.

    Args:
        contribution: (B, K) contribution degrees; 0 leaves a neighbour out.
        neighbor_probs: (B, K, C) predictions for the neighbours.

    Returns:
        (B, C) distributions; a row of zeros where no neighbour contributes.
    """
    total = ops.sum(contribution, axis=-1, keepdims=True)
    weighted = ops.einsum("bk,bkc->bc", contribution, neighbor_probs)
    return ops.divide_no_nan(weighted, total)


def target_distribution(given, neighbor_distribution, uncertainty):
    """The training target, equation (6): ``d = (1 - lambda) l + lambda d~``.

    Args:
        given: (B, C) given label as a distribution (one-hot or votes).
        neighbor_distribution: (B, C) aggregated distribution d~.
        uncertainty: (B, 1) or scalar lambda in [0, 1].

    Returns:
        (B, C); rows sum to one if both inputs' rows do.
    """
    return (1.0 - uncertainty) * given + uncertainty * neighbor_distribution


def uncertainty_gradient(given, neighbor_distribution, probs):
    """Derivative of a sample's classification loss by its uncertainty, equation (9).

    ``CE(d~, f) - CE(l, f)``: negative (so lambda grows) where the network agrees with the neighbours more than
    with the given label.

    Args:
        given: (B, C) given label as a distribution.
        neighbor_distribution: (B, C) aggregated distribution d~.
        probs: (B, C) predictions f.

    Returns:
        (B,).
    """
    return soft_cross_entropy(neighbor_distribution, probs) - soft_cross_entropy(given, probs)
