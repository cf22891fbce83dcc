"""EAC: what the network looks at in an image must be what it looks at in the mirror image.

Zhang et al., "Learn From All: Erasing Attention Consistency for Noisy Label Facial Expression Recognition", ECCV 2022.
"""

import keras
from keras import ops

from fer_keras.data.mirrored_views import mirrored_views
from fer_keras.layers.random_stream import RandomStream
from fer_keras.losses.attention_consistency import class_activation_maps, flip_consistency
from fer_keras.losses.soft_cross_entropy import weighted_batch_mean
from fer_keras.methods.base import Method, Objective


@keras.saving.register_keras_serializable(package="fer_keras")
class EAC(Method):
    """Erasing Attention Consistency.

    ``L = CE(image) + lambda MSE(H, mirror(H'))``: the class activation maps H of an image, parts of which are erased,
    must agree with those H' of its mirror image. Only the image itself has a classification loss. A network that
    learns a wrong label by heart does so from parts of an image which the consistency takes from it.

    Args:
        backbone, class_names, dropout: as for `Method`; the maps are taken in front of the dropout.
        consistency_weight: lambda.
        views: ``"clean"``: the mirror image is erased where the image is, as in the released code for given labels;
            ``"noisy"``: each view is erased on its own, as there for labels with added noise.
        erasing_probability: share of the images that lose a rectangle (2 to 25 % of the area).
        noise_probability: share of the images with Gaussian noise, in ``"noisy"`` views of the first view alone.
        noise_variance: of that noise, in squared pixel values.

    Raises:
        ValueError: unknown `views`, or a value out of range.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = EAC(build_backbone("fer_mini", (48, 48)), EMOTIONS, views="noisy")
        >>> model.compile("adam")
    """

    accepts_mixed_samples = True
    accepts_crops = True
    diagnostics = ("cross_entropy", "consistency")

    def __init__(
        self,
        backbone,
        class_names,
        *,
        consistency_weight: float = 5.0,
        views: str = "clean",
        erasing_probability: float = 0.5,
        noise_probability: float = 0.5,
        noise_variance: float = 30.0,
        **kwargs,
    ):
        super().__init__(backbone, class_names, **kwargs)
        if views not in ("clean", "noisy"):
            raise ValueError(f"views: {views!r}; wanted one of: clean, noisy")
        for name, value in (("consistency_weight", consistency_weight), ("noise_variance", noise_variance)):
            if value < 0:
                raise ValueError(f"{name}: {value}; wanted 0 or more")
        for name, value in (("erasing_probability", erasing_probability), ("noise_probability", noise_probability)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name}: {value}; wanted a value in [0, 1]")
        self.consistency_weight = consistency_weight
        self.views = views
        self.erasing_probability = erasing_probability
        self.noise_probability = noise_probability
        self.noise_variance = noise_variance
        self.view_stream = RandomStream(name="view_stream")

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        self._check_images(x["image"])
        image, mirrored = mirrored_views(
            x["image"],
            self.view_stream.next_key(),
            independent=self.views == "noisy",
            erasing_probability=self.erasing_probability,
            noise_probability=self.noise_probability,
            noise_variance=self.noise_variance,
        )
        # Two passes: in one of both views together, BatchNorm would see statistics of images and mirror images.
        feature_map = self.backbone(image, training=True)
        mirrored_map = self.backbone(mirrored, training=True)
        return self.objective(y, feature_map, mirrored_map, sample_weight)

    def objective(self, y, feature_map, mirrored_map, sample_weight=None) -> Objective:
        """The loss of a batch from its feature maps.

        Args:
            y: ``distribution`` (B, C).
            feature_map, mirrored_map: (B, h, w, V), of the images and of their mirror images.
            sample_weight: (B,) or None; weighs the samples in both terms.

        Returns:
            The loss, its two terms, and the maps.
        """
        logits = self.classifier(self.dropout(self.pooled(feature_map, training=True), training=True))
        cross_entropy = keras.losses.categorical_crossentropy(y["distribution"], logits, from_logits=True)
        maps = class_activation_maps(ops.cast(feature_map, "float32"), self.classifier.kernel)
        mirrored_maps = class_activation_maps(ops.cast(mirrored_map, "float32"), self.classifier.kernel)
        logs = {
            "cross_entropy": weighted_batch_mean(cross_entropy, sample_weight),
            "consistency": weighted_batch_mean(flip_consistency(maps, mirrored_maps), sample_weight),
        }
        loss = logs["cross_entropy"] + self.consistency_weight * logs["consistency"]
        state = {"logits": logits, "maps": maps, "mirrored_maps": mirrored_maps}
        return Objective(loss, ops.softmax(logits), logs, state)

    def get_config(self) -> dict:
        names = "consistency_weight views erasing_probability noise_probability noise_variance"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
