"""Masked autoencoding (He et al., CVPR 2022): see a quarter of the patches, say what the others look like."""

import keras
import tensorflow as tf
from keras import ops

from fer_keras.backbones.vit import embed_patches, encode_tokens, is_vision_transformer
from fer_keras.layers.patch_decoder import PatchDecoder
from fer_keras.layers.random_masking import RandomMasking
from fer_keras.layers.random_stream import RandomStream
from fer_keras.layers.replica import num_replicas
from fer_keras.losses.masked_patches import from_patches, masked_error, normalize_patches, to_patches

_FIXED_KEY = (0, 0)
"""Key of the masks outside training, so that the losses of all epochs are comparable."""


@keras.saving.register_keras_serializable(package="fer_keras")
class MaskedAutoencoder(keras.Model):
    """Learns a Vision Transformer without labels.

    Of every image a random share of the patches is hidden; the backbone encodes the others alone, a light decoder
    predicts the pixels of all, and the loss is the mean squared error on the hidden patches, each normalised to mean 0
    and variance 1. The masks of training are drawn from a stream that is part of the weights: a resumed run draws what
    an uninterrupted one draws. Elsewhere a batch always has the same masks.

    Works with plain ``compile(optimizer)`` and ``fit``; the loss is its own.

    Args:
        backbone: a Vision Transformer of `build_backbone`.
        mask_ratio: share of the patches that is hidden.
        decoder_width, decoder_depth, decoder_heads: size of the decoder.
        seed: start of the stream of masks; None = drawn from Python's generator.

    Call arguments:
        inputs: images (B, H, W, 3), pixels 0..255, or a dict that holds them under ``"image"``.
        training: whether new masks are drawn.

    Returns:
        ``patches`` (B, N, P * P * 3) float32, the predicted normalised patches, and ``mask`` (B, N) float32, 1 =
        hidden.

    Raises:
        ValueError: the backbone is not a Vision Transformer, or the decoder's sizes do not divide.

    Example:
        >>> import numpy as np
        >>> from fer_keras.backbones import build_backbone
        >>> model = MaskedAutoencoder(build_backbone("vit_tiny", (48, 48), patch_size=8, depth=2))
        >>> model(np.zeros((2, 48, 48, 3), "uint8"))["patches"].shape
        TensorShape([2, 36, 192])
    """

    training_set_pass = None
    """As that of `fer_keras.methods.Method`: no second pass after an epoch."""

    def __init__(
        self,
        backbone: keras.Model,
        *,
        mask_ratio: float = 0.75,
        decoder_width: int = 128,
        decoder_depth: int = 4,
        decoder_heads: int = 4,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_vision_transformer(backbone):
            raise ValueError(
                f"backbone {backbone.name}: masked autoencoding hides patches, so it needs vit_tiny, vit_small or "
                "vit_base"
            )
        self.backbone = backbone
        self.grid = tuple(backbone.output_shape[1:3])
        self.patch_size = backbone.input_shape[1] // self.grid[0]
        self.masking = RandomMasking(mask_ratio, name="masking")
        self.stream = RandomStream(seed, name="stream")
        size = {"width": decoder_width, "depth": decoder_depth, "heads": decoder_heads}
        self.decoder = PatchDecoder(self.grid, self.patch_size**2 * 3, **size, name="decoder")
        tokens = self.grid[0] * self.grid[1]
        self.decoder.build((None, self.masking.kept(tokens), backbone.output_shape[-1]))
        self._options = {"mask_ratio": mask_ratio, **{f"decoder_{key}": value for key, value in size.items()}}
        self.built = True  # every part is built here, so weights can be counted, loaded and restored at once

    def call(self, inputs, training=False):
        images = ops.cast(inputs["image"] if isinstance(inputs, dict) else inputs, "float32")
        key = self.stream.next_key() if training else tf.constant(_FIXED_KEY, tf.int64)
        noise = tf.random.stateless_uniform((tf.shape(images)[0], self.grid[0] * self.grid[1]), key)
        kept, mask, restore = self.masking(embed_patches(self.backbone, images), noise)
        encoded = encode_tokens(self.backbone, kept, training=training)
        return {"patches": self.decoder(encoded, restore, training=training), "mask": mask}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The error on the hidden patches of ``x["image"]``; labels and sample weights are not used."""
        images = x["image"] if isinstance(x, dict) else x
        loss = masked_error(y_pred["patches"], normalize_patches(self._patches(images))[0], y_pred["mask"])
        reason = f"{self.name}: the loss is NaN or infinite; lower the learning rate"
        with tf.control_dependencies([tf.debugging.assert_all_finite(loss, reason)]):
            # The optimizer sums gradients over replicas, so each contributes its share of the global mean.
            return loss / num_replicas()

    def reconstruct(self, images) -> dict:
        """What is left of images, and what the model makes of it.

        Args:
            images: (B, H, W, 3), pixels 0..255.

        Returns:
            ``masked``: the images with hidden patches in grey; ``reconstruction``: predictions in the hidden patches,
            each with its true mean and variance (which the model does not predict), the seen ones as they are. Both
            (B, H, W, 3) float32, 0..255.
        """
        outputs, patches = self(images), self._patches(images)
        _, mean, deviation = normalize_patches(patches)
        hidden = outputs["mask"][..., None]
        predicted = ops.clip(outputs["patches"] * deviation + mean, 0.0, 1.0)
        pictures = {"masked": 0.5 * ops.ones_like(patches), "reconstruction": predicted}
        return {
            name: 255.0 * from_patches(patches * (1 - hidden) + filling * hidden, self.grid, self.patch_size)
            for name, filling in pictures.items()
        }

    def _patches(self, images):
        """Patches (B, N, P * P * 3) float32, values 0..1."""
        return to_patches(ops.cast(images, "float32") / 255.0, self.patch_size)

    def get_config(self) -> dict:
        config = {"backbone": keras.saving.serialize_keras_object(self.backbone), "seed": self.stream.seed}
        return {**super().get_config(), "name": self.name, **config, **self._options}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(config["backbone"], custom_objects=custom_objects)
        return cls(**config)
