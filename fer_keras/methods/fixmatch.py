"""FixMatch: a sure prediction for the weak view of an image is the label of its strong view.

Sohn et al., "FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence", NeurIPS 2020.
"""

import keras

from fer_keras.methods.semi_supervised import SemiSupervised


@keras.saving.register_keras_serializable(package="fer_keras")
class FixMatch(SemiSupervised):
    """``L = L_x + mean(1[max p >= 0.95] CE(argmax p, strong))``, p from one weak view.

    Args:
        backbone, class_names: as for `Method`.
        weak_views, labelled_weight, contrastive_weight, margin, floor: as for
            `fer_keras.methods.semi_supervised.SemiSupervised`, with FixMatch's values.
        **kwargs: its other options.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = FixMatch(build_backbone("fer_mini", (48, 48)), EMOTIONS, floor=0.9)
        >>> model.compile("adam")
    """

    def __init__(
        self,
        backbone,
        class_names,
        *,
        weak_views: int = 1,
        labelled_weight: float = 1.0,
        contrastive_weight: float = 0.0,
        margin: str = "fixed",
        floor: float = 0.95,
        **kwargs,
    ):
        super().__init__(
            backbone,
            class_names,
            weak_views=weak_views,
            labelled_weight=labelled_weight,
            contrastive_weight=contrastive_weight,
            margin=margin,
            floor=floor,
            **kwargs,
        )
