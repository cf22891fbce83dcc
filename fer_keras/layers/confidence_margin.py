"""How sure a network must be of a class before its pseudo-labels count: one threshold a class, kept as weights."""

import keras
from keras import ops

from fer_keras.losses.pseudo_labels import margin_thresholds


@keras.saving.register_keras_serializable(package="fer_keras")
class AdaptiveConfidenceMargin(keras.layers.Layer):
    """A threshold for every class, learnt from how sure the network is where it is right (Ada-CM, CVPR 2022).

    Args:
        num_classes: C.
        floor: least threshold, and the one at the start.
        scale: of `fer_keras.losses.pseudo_labels.margin_thresholds`; 0 keeps all thresholds at `floor`.

    Call arguments:
        labels: (B,) class indices.

    Returns:
        (B,) the threshold of each class.

    Example:
        >>> margin = AdaptiveConfidenceMargin(num_classes=2)
        >>> margin.measure([1.96, 0.0], [2.0, 0.0], epoch=10)  # class 0: twice right, 0.98 sure on average
        >>> [round(float(threshold), 3) for threshold in margin.thresholds]
        [0.951, 0.8]
    """

    def __init__(self, num_classes: int, floor: float = 0.8, scale: float = 0.97, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not 0 <= floor <= 1 or not 0 <= scale <= 1:
            raise ValueError(f"{self.name}: floor and scale must be within 0..1, not {floor} and {scale}")
        self.num_classes = num_classes
        self.floor = floor
        self.scale = scale
        self.thresholds = self.add_weight(
            (num_classes,), keras.initializers.Constant(floor), trainable=False, name="thresholds",
            aggregation="only_first_replica",
        )  # fmt: skip
        self.built = True

    def call(self, labels):
        return ops.take(self.thresholds.value, labels)

    def measure(self, correct_sums, correct_counts, epoch: int) -> None:
        """Sets the thresholds anew.

        Args:
            correct_sums, correct_counts: (C,), of `fer_keras.losses.pseudo_labels.correct_confidence`.
            epoch: counted from 1.
        """
        self.thresholds.assign(margin_thresholds(correct_sums, correct_counts, epoch, self.floor, self.scale))

    def get_config(self) -> dict:
        names = ("num_classes", "floor", "scale")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
