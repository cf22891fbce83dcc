"""LEAF: experts between features and predictions, and pseudo-labels that may name several classes.

"LEAF: Unveiling Two Sides of the Same Coin in Semi-supervised Facial Expression Recognition"; the released code is
Ada-CM with residual experts, and with the fuzzy positive loss in the place of the cross-entropy.
"""

import keras

from fer_keras.methods.semi_supervised import SemiSupervised


@keras.saving.register_keras_serializable(package="fer_keras")
class LEAF(SemiSupervised):
    """Ada-CM's loss with L_u = mean(m) times the fuzzy positive loss, rescaled; features pass through experts.

    The thresholds' mask is a factor, not one for each sample: a prediction that is sure enough for a threshold names
    one class, so that with a mask for each sample hardly a pseudo-label would be ambiguous.

    ``fidelity="paper"``: separate experts of which each sample takes two, combined as a sum, the instance level behind
    the classifier. ``"official"`` (released code): one expert in the place of all, combined in
    the logarithm, the instance level before the classifier, thresholds from a pass over the labelled images, weights
    shrunk after every step.

    Args:
        backbone, class_names: as for `Method`.
        fidelity: sets the options below that are None.
        num_experts: of each level.
        experts, instance_level, margin, shrink: of `fer_keras.methods.semi_supervised.SemiSupervised`;
            `experts` adds to, or overrides, what `fidelity` sets.
        category_level, mask_mode: of the same; LEAF's are ``fuzzy`` and ``scalar``.
        **kwargs: its other options.

    Raises:
        ValueError: an unknown fidelity.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = LEAF(build_backbone("fer_mini", (48, 48)), EMOTIONS, num_experts=4)
        >>> model.compile("adam")
    """

    def __init__(
        self,
        backbone,
        class_names,
        *,
        fidelity: str = "paper",
        num_experts: int = 8,
        experts: dict | None = None,
        instance_level: str | None = None,
        category_level: str = "fuzzy",
        mask_mode: str = "scalar",
        margin: str | None = None,
        shrink: float | None = None,
        **kwargs,
    ):
        if fidelity not in ("paper", "official"):
            raise ValueError(f"fidelity: {fidelity!r}; wanted one of: paper, official")
        official = fidelity == "official"
        released = {"k": 1, "share_experts": True, "combination": "log"} if official else {"k": 2}
        super().__init__(
            backbone,
            class_names,
            experts={"num_experts": num_experts, **released, **(experts or {})},
            instance_level=instance_level or ("feature" if official else "logits"),
            category_level=category_level,
            mask_mode=mask_mode,
            margin=margin or ("augmented" if official else "online"),
            shrink=shrink if shrink is not None else (0.02 if official else 0.0),
            **kwargs,
        )
        self.fidelity = fidelity
        self.num_experts = num_experts

    def get_config(self) -> dict:
        return {**super().get_config(), "fidelity": self.fidelity, "num_experts": self.num_experts}
