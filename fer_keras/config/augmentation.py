"""The section ``augmentation`` of an experiment file: random changes of training images (docs/augmentation.md)."""

from typing import Self

from pydantic import Field, model_validator

from fer_keras.config.section import Layers, Pair, Section, Unit


class RandomErasing(Section):
    """Random erasing of a rectangle."""

    probability: Unit = Field(0.0, description="share of the images of which a rectangle is erased; 0 = off")
    area: Pair = Field((0.02, 0.3), description="smallest and largest share of the image's area")
    aspect: Pair = Field((0.3, 3.3), description="smallest and largest height / width of the rectangle")

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError("area should be [smallest, largest] within 0 to 1")
        if not 0 < self.aspect[0] <= self.aspect[1]:
            raise ValueError("aspect should be [smallest, largest], both above 0")
        return self


class OperationLimits(Section):
    """How far the operations of RandAugment and AugMix go at full strength."""

    rotation_limit: float = Field(30.0, ge=0, le=180, description="largest rotation at strength 1, in degrees")
    translation_limit: Unit = Field(0.2, description="largest shift at strength 1, as a share of the image")
    shear_limit: Unit = Field(0.3, description="largest shear at strength 1")


class RandAugmentOptions(OperationLimits):
    """RandAugment: random operations of one strength (Cubuk et al., 2020)."""

    num_ops: int = Field(2, ge=1, le=10, description="operations applied to each image")
    factor: Unit = Field(0.5, description="strength of the operations, 0 to 1")


class AugMixOptions(OperationLimits):
    """AugMix: an image mixed with chains of operations on it (Hendrycks et al., 2020)."""

    num_chains: int = Field(3, ge=1, le=10, description="chains of operations that are mixed")
    chain_depth: int = Field(3, ge=1, le=10, description="operations in a chain")
    alpha: float = Field(1.0, gt=0, description="parameter of the distributions of the mixing weights")
    factor: Unit = Field(0.3, description="strength of the operations, 0 to 1")


class ColorJitterOptions(Section):
    """Random colours."""

    brightness: Unit = Field(0.2, description="largest shift, as a share of the range of values")
    contrast: Unit = Field(0.2, description="x: contrast is scaled by 1 - x to 1 + x")
    saturation: Unit = Field(0.2, description="x: saturation is scaled by 1 - x to 1 + x")
    hue: float = Field(0.0, ge=0, le=0.5, description="largest shift, as a share of the colour circle, 0 to 0.5")


class MixUpOptions(Section):
    """MixUp: weighted means of two images (Zhang et al., 2018)."""

    alpha: float = Field(0.2, gt=0, le=1, description="parameter of the Beta distribution of the weight")
    probability: Unit = Field(1.0, description="share of the images that are mixed")


class CutMixOptions(Section):
    """CutMix: a rectangle of another image (Yun et al., 2019)."""

    alpha: float = Field(1.0, gt=0, le=1, description="parameter of the Beta distribution of the area kept")
    probability: Unit = Field(1.0, description="share of the images that are mixed")


class Augmentation(Section):
    """What is done at random to training images."""

    horizontal_flip: bool = Field(True, description="mirror half of the images")
    pad_and_crop: int = Field(
        4, ge=0, le=256, description="pixels added on each side before a random crop back to size; 0 = off"
    )
    random_erasing: RandomErasing = Field(default_factory=RandomErasing, description="erase a random rectangle")
    color_jitter: ColorJitterOptions | None = Field(None, description="random colours; null = off")
    rand_augment: RandAugmentOptions | None = Field(None, description="RandAugment; null = off")
    aug_mix: AugMixOptions | None = Field(None, description="AugMix; null = off")
    mix_up: MixUpOptions | None = Field(None, description="MixUp; null = off")
    cut_mix: CutMixOptions | None = Field(None, description="CutMix; null = off")
    keras: Layers = Field((), description="further layers of Keras, a list of {layer, probability, its options}")
    keras_cv: Layers = Field(
        (), description="layers that only keras_cv has, a list of {layer, probability, its options}"
    )

    @property
    def mixes_samples(self) -> bool:
        """Whether images are mixed with other images, and their labels with them."""
        mixing_layers = [entry for entry in self.keras_cv if entry.get("layer") == "FourierMix"]
        return self.mix_up is not None or self.cut_mix is not None or bool(mixing_layers)


class StrongErasing(RandomErasing):
    """The erased square of a strongly augmented view."""

    probability: Unit = Field(1.0, description="share of the images of which a rectangle is erased; 0 = off")
    area: Pair = Field((0.02, 0.25), description="smallest and largest share of the image's area")
    aspect: Pair = Field((1.0, 1.0), description="smallest and largest height / width of the rectangle")


class StrongRandAugment(RandAugmentOptions):
    """RandAugment of a strongly augmented view."""

    num_ops: int = Field(3, ge=1, le=10, description="operations applied to each image")
    factor: Unit = Field(1.0, description="strength of the operations, 0 to 1")


class StrongAugmentation(Augmentation):
    """What is done at random to the strongly augmented view of an unlabelled image."""

    random_erasing: StrongErasing = Field(default_factory=StrongErasing, description="erase a random rectangle")
    rand_augment: StrongRandAugment | None = Field(
        default_factory=StrongRandAugment, description="RandAugment; null = off"
    )

    @model_validator(mode="after")
    def _single_images(self) -> Self:
        if self.mixes_samples:
            raise ValueError("views of unlabelled images have no labels to mix; drop mix_up, cut_mix and FourierMix")
        return self
