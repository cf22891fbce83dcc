"""Learning from annotators' votes: the four schemes of FER+'s authors, and the average over the candidates."""

import keras
import tensorflow as tf
from keras import ops

from fer_keras.layers.random_stream import RandomStream
from fer_keras.losses.candidate_likelihood import average_candidate_loss, best_candidate_loss, draw_candidate
from fer_keras.losses.soft_cross_entropy import weighted_batch_mean
from fer_keras.methods.base import Method, Objective
from fer_keras.methods.candidate_sets import candidates_of

SCHEMES = ("majority", "multi_target", "probability", "cross_entropy", "average")


@keras.saving.register_keras_serializable(package="fer_keras")
class Votes(Method):
    """The schemes of Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label
    Distribution", ICMI 2016, by the names of their released code.

    S is the candidate set of a sample and q its distribution over S, ``y["candidates"]`` (``data.candidates``):

    - ``majority``: ``-log p_y``, y the given label; no candidates needed;
    - ``multi_target`` (multi-label learning): ``-log max_{c in S} p_c``; the authors' S are the classes with a share of
      0.3 (rule ``share``);
    - ``probability`` (probabilistic label drawing): ``-log p_c``, c drawn from q anew at every visit; rule ``mass``;
    - ``cross_entropy``: ``-sum_c q_c log p_c``; rule ``mass``;
    - ``average``: ``-log sum_{c in S} p_c``, the plain baseline of learning from partial labels; not in that paper.

    Args:
        backbone, class_names, dropout: as for `Method`.
        scheme: one of the above.

    Raises:
        ValueError: an unknown scheme.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = Votes(build_backbone("fer_mini", (48, 48)), EMOTIONS, scheme="probability")
        >>> model.uses_candidates
        True
    """

    learns_candidates = True
    accepts_crops = True

    def __init__(self, backbone, class_names, *, scheme: str = "cross_entropy", **kwargs):
        super().__init__(backbone, class_names, **kwargs)
        if scheme not in SCHEMES:
            raise ValueError(f"scheme: {scheme!r}; wanted one of: {', '.join(SCHEMES)}")
        self.scheme = scheme
        self.uses_candidates = scheme != "majority"
        if scheme == "probability":
            self.label_stream = RandomStream(name="label_stream")

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        outputs = self.forward(x["image"], training=True)
        return self.objective(y, outputs["logits"], sample_weight)

    def objective(self, y, logits, sample_weight=None) -> Objective:
        """The loss of a batch from the network's outputs.

        Args:
            y: ``candidates`` (B, C), or ``label`` (B,) for the scheme ``majority``.
            logits: (B, C).
            sample_weight: (B,) or None.

        Returns:
            The loss, a mean over the batch, and the predictions.

        Raises:
            ValueError: the batch has no candidates.
        """
        logits = ops.convert_to_tensor(logits)
        if self.scheme == "multi_target":
            losses = best_candidate_loss(candidates_of(y, self.name), logits)
        elif self.scheme == "average":
            losses = average_candidate_loss(candidates_of(y, self.name), logits)
        else:
            losses = keras.losses.categorical_crossentropy(self.targets(y), logits, from_logits=True)
        return Objective(weighted_batch_mean(losses, sample_weight), ops.softmax(logits))

    def targets(self, y):
        """(B, C) the distributions of the cross-entropy: the label, a drawn label, or the candidates'."""
        if self.scheme == "majority":
            return ops.one_hot(y["label"], self.num_classes, dtype="float32")
        candidates = candidates_of(y, self.name)
        if self.scheme == "cross_entropy":
            return candidates
        uniform = tf.random.stateless_uniform([tf.shape(candidates)[0]], self.label_stream.next_key(), alg="philox")
        return draw_candidate(candidates, uniform)

    def get_config(self) -> dict:
        return {**super().get_config(), "scheme": self.scheme}
