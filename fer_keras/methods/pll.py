"""PLL-FER: the label is one of several candidates, and label embeddings ask the image which one.

Wang et al., "Rethinking the Learning Paradigm for Facial Expression Recognition" (arXiv 2209.15402). A
re-implementation from the abstract; not verified against the authors' results. The parts are taken from the published
work that the abstract builds on, and are named where they stand.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from fer_keras.layers.label_decoder import LabelDecoder
from fer_keras.layers.label_readout import LabelReadout
from fer_keras.layers.sample_table import SampleTable
from fer_keras.losses.candidate_likelihood import best_within, outside_candidates_loss, probability_within
from fer_keras.losses.embedding_uniformity import embedding_uniformity
from fer_keras.losses.ramps import linear_ramp
from fer_keras.losses.soft_cross_entropy import weighted_batch_mean
from fer_keras.methods.base import Method, Objective
from fer_keras.methods.candidate_sets import candidates_of

TRUTHS = {"progressive": probability_within, "prototype": best_within}
"""What the network takes for the truth of a sample, by `PLL`'s ``disambiguation``."""


@keras.saving.register_keras_serializable(package="fer_keras")
class PLL(Method):
    """Partial label learning with a label-query decoder.

    `LabelDecoder` gives a state for each class, `LabelReadout` its logit; ``p = softmax(z)``. Each sample has a row Q
    of a confidence table, which starts as its candidates (``y["candidates"]``) and then follows the prediction inside
    the candidate set S after every visit, ``Q <- phi Q + (1 - phi) t``:

    - ``progressive`` (PRODEN): ``t_c = p_c 1[c in S] / sum_S p``;
    - ``prototype`` (PiCO's update; the decoder's embeddings stand for its prototypes): ``t = onehot(argmax_S p)``.

    ``L = -1/B sum_i sum_c Q_ic log p_ic + lambda_u L_uni + lambda_n L_neg``: L_uni is `embedding_uniformity` of the
    label embeddings, whatever the frequencies of the classes; L_neg is the mean `outside_candidates_loss`.

    Args:
        backbone, class_names, dropout: as for `Method`; the dropout is between the states and the read-out.
        num_samples: N, the number of training samples; ``sample_id`` is the row of the confidence table.
        disambiguation: ``"progressive"`` or ``"prototype"``.
        momentum: phi in the first epoch and after `ramp_epochs` more, in a straight line in between.
        ramp_epochs: length of that line.
        warmup_epochs: for so many epochs Q stays the candidates'.
        uniformity_weight: lambda_u.
        uniformity_sharpness: t of `embedding_uniformity`.
        negative_weight: lambda_n.
        decoder_width, decoder_depth, decoder_heads, decoder_hidden, decoder_dropout, label_attention: `LabelDecoder`'s
            width, blocks, heads, width of the two-layer networks, dropout rate, attention between the classes.

    Raises:
        ValueError: a value out of range.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = PLL(build_backbone("fer_mini", (48, 48)), EMOTIONS, num_samples=1000, decoder_width=64)
        >>> model.inference_model().output["features"].shape
        (None, 512)
    """

    uses_sample_table = True
    uses_epoch = True
    uses_candidates = True
    learns_candidates = True
    diagnostics = ("partial_label", "uniformity", "negative", "confidence")

    def __init__(
        self,
        backbone,
        class_names,
        *,
        num_samples: int,
        disambiguation: str = "progressive",
        momentum: Sequence[float] = (0.95, 0.8),
        ramp_epochs: float = 40.0,
        warmup_epochs: int = 1,
        uniformity_weight: float = 0.1,
        uniformity_sharpness: float = 2.0,
        negative_weight: float = 0.0,
        decoder_width: int = 128,
        decoder_depth: int = 2,
        decoder_heads: int = 4,
        decoder_hidden: int = 256,
        decoder_dropout: float = 0.1,
        label_attention: bool = False,
        **kwargs,
    ):
        if kwargs.get("aggregation") is not None:
            raise ValueError("aggregation: pll has a decoder in the place of pooled features; drop aggregation")
        self.decoder_width = decoder_width  # the read-out is built for this width
        super().__init__(backbone, class_names, **kwargs)
        if disambiguation not in TRUTHS:
            raise ValueError(f"disambiguation: {disambiguation!r}; wanted one of: {', '.join(TRUTHS)}")
        if len(momentum) != 2 or not all(0.0 <= value <= 1.0 for value in momentum):
            raise ValueError(f"momentum: {list(momentum)}; wanted two values in [0, 1], first and last")
        if ramp_epochs <= 0 or warmup_epochs < 0:
            raise ValueError(
                f"ramp_epochs: {ramp_epochs}, warmup_epochs: {warmup_epochs}; wanted above 0, and 0 or more"
            )
        for name, value in (("uniformity_weight", uniformity_weight), ("negative_weight", negative_weight)):
            if value < 0:
                raise ValueError(f"{name}: {value}; wanted 0 or more")
        self.num_samples = num_samples
        self.disambiguation = disambiguation
        self.momentum = tuple(float(value) for value in momentum)
        self.ramp_epochs = ramp_epochs
        self.warmup_epochs = warmup_epochs
        self.uniformity_weight = uniformity_weight
        self.uniformity_sharpness = uniformity_sharpness
        self.negative_weight = negative_weight
        self.decoder_depth = decoder_depth
        self.decoder_heads = decoder_heads
        self.decoder_hidden = decoder_hidden
        self.decoder_dropout = decoder_dropout
        self.label_attention = label_attention
        self.decoder = LabelDecoder(
            self.num_classes, decoder_width, decoder_depth, decoder_heads, decoder_hidden, decoder_dropout,
            label_attention, name="decoder",
        )  # fmt: skip
        self.decoder.build(backbone.output_shape)
        self.states = keras.layers.Flatten(name="features", dtype="float32")
        self.confidence = SampleTable(num_samples, self.num_classes, name="confidence")

    # -- network -----------------------------------------------------------------------------------------------

    @property
    def feature_width(self) -> int:
        """C * D: the features of an image are the states of all classes."""
        return self.num_classes * self.decoder_width

    def build_classifier(self, name: str = "classifier") -> keras.layers.Layer:
        """A read-out in the place of a dense layer."""
        classifier = LabelReadout(self.num_classes, name=name)
        classifier.build((None, self.feature_width))
        return classifier

    def extract_features(self, pixels, training: bool = False):
        """States of the classes (B, C * D) of pixels."""
        return self.states(self.decoder(self.backbone(pixels, training=training), training=training))

    # -- confidences -------------------------------------------------------------------------------------------

    def stored_confidences(self, sample_ids, candidates):
        """Q of samples (B, C); of those that have not been updated yet, their candidates.

        Args:
            sample_ids: (B,) rows.
            candidates: (B, C) distributions.
        """
        stored, candidates = self.confidence.read(sample_ids), ops.cast(candidates, "float32")
        return ops.where(ops.sum(stored, axis=-1, keepdims=True) > 0, stored, candidates)

    def phi(self):
        """Share of Q that an update keeps, in this epoch; 1 during the warm-up."""
        ramp = linear_ramp(self.epoch, self.ramp_epochs, *self.momentum)
        return ops.where(ops.convert_to_tensor(self.epoch) <= self.warmup_epochs, 1.0, ramp)

    # -- training ----------------------------------------------------------------------------------------------

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        outputs = self.forward(x["image"], training=True)
        return self.objective(x, y, outputs["logits"], sample_weight)

    def objective(self, x, y, logits, sample_weight=None) -> Objective:
        """The loss of a batch from the network's outputs.

        Args:
            x: ``sample_id`` (B,).
            y: ``candidates`` (B, C).
            logits: (B, C).
            sample_weight: (B,) or None; weighs the samples in both terms that are means over them.

        Returns:
            The loss, its terms, the mean of the largest confidences, and what `after_step` needs.

        Raises:
            ValueError: the batch has no candidates.
        """
        logits, candidates = ops.convert_to_tensor(logits), candidates_of(y, self.name)
        probs = ops.softmax(logits)
        confidences = self.stored_confidences(x["sample_id"], candidates)
        losses = keras.losses.categorical_crossentropy(confidences, logits, from_logits=True)
        terms = {
            "partial_label": weighted_batch_mean(losses, sample_weight),
            "uniformity": embedding_uniformity(self.decoder.embeddings, self.uniformity_sharpness),
            "negative": weighted_batch_mean(outside_candidates_loss(candidates, probs), sample_weight),
        }
        weights = (1.0, self.uniformity_weight, self.negative_weight)
        loss = sum(weight * term for weight, term in zip(weights, terms.values(), strict=True) if weight)
        truth = TRUTHS[self.disambiguation](candidates, logits)
        logs = {**terms, "confidence": ops.mean(ops.max(confidences, axis=-1))}
        return Objective(loss, probs, logs, {"confidences": confidences, "truth": truth})

    def after_step(self, x, y, objective: Objective) -> None:
        phi = self.phi()
        rows = phi * objective.state["confidences"] + (1.0 - phi) * objective.state["truth"]
        self.confidence.write(x["sample_id"], rows)

    def label_distributions(self, given, features, probs, neighbors=None) -> np.ndarray:
        """The confidences that training ended with; given labels where a sample was never seen.

        Args, Returns: as `Method.label_distributions`.
        """
        stored = np.asarray(self.confidence.table)
        return np.where(stored.sum(axis=1, keepdims=True) > 0, stored, np.asarray(given, np.float32))

    def get_config(self) -> dict:
        names = (
            "num_samples disambiguation momentum ramp_epochs warmup_epochs uniformity_weight uniformity_sharpness "
            "negative_weight decoder_width decoder_depth decoder_heads decoder_hidden decoder_dropout label_attention"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
