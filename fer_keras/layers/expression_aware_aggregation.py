"""A mixture of experts that each sample is sent through by a learned gate: LEAF's expression-aware aggregation."""

import keras
import tensorflow as tf
from keras import ops

from fer_keras.layers.random_stream import RandomStream
from fer_keras.losses.noisy_top_k import balance_loss, expected_load, noise_deviation, top_k_gates

EXPERTS = ("residual_mlp", "linear")
COMBINATIONS = ("sum", "log")


@keras.saving.register_keras_serializable(package="fer_keras")
class ExpressionAwareAggregation(keras.layers.Layer):
    """``y = sum_e g_e E_e(x)``, g the softmax over the k greatest of ``x W_g`` (training: with learned noise).

    Args:
        num_experts: E.
        k: experts of each sample, 1 to E. With 1 the gate has no gradient (the released code of LEAF).
        expert: ``residual_mlp``: ``x + relu(x W_1 + b_1) W_2 + b_2``; ``linear``: ``x W + b``.
        hidden_width: width between W_1 and W_2; None: half of the input's, at least 16.
        share_experts: one expert in the place of all E, as the released code has it by accident.
        combination: ``sum``, or ``log``: ``log(sum_e g_e exp(E_e(x)))``, as the released code combines.

    Call arguments:
        x: (B, D).
        training: whether noise is added to the scores.

    Returns:
        (B, D) float32.

    Raises:
        ValueError: a value out of range.

    Example:
        >>> layer = ExpressionAwareAggregation(num_experts=4, k=2)
        >>> layer(ops.ones((3, 8))).shape
        TensorShape([3, 8])
    """

    def __init__(
        self,
        num_experts: int = 8,
        k: int = 2,
        expert: str = "residual_mlp",
        hidden_width: int | None = None,
        share_experts: bool = False,
        combination: str = "sum",
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not 1 <= k <= num_experts or num_experts < 2:
            raise ValueError(f"{self.name}: wanted at least 2 experts and k within 1..{num_experts}, not {k}")
        for name, value, choices in (("expert", expert, EXPERTS), ("combination", combination, COMBINATIONS)):
            if value not in choices:
                raise ValueError(f"{self.name}: {name}: {value!r}; wanted one of: {', '.join(choices)}")
        self.num_experts = num_experts
        self.k = k
        self.expert = expert
        self.hidden_width = hidden_width
        self.share_experts = share_experts
        self.combination = combination
        self.noise = RandomStream(name="noise")

    def build(self, input_shape):
        width, experts = input_shape[-1], self.num_experts
        self.gate_kernel = self.add_weight((width, experts), "zeros", name="gate_kernel")
        self.noise_kernel = self.add_weight((width, experts), "zeros", name="noise_kernel")
        separate = 1 if self.share_experts else experts
        if self.expert == "linear":
            self.kernel = self._experts_weight((separate, width, width), "kernel")
            self.bias = self.add_weight((separate, width), "zeros", name="bias")
        else:
            hidden = self.hidden_width or max(width // 2, 16)
            self.kernel_1 = self._experts_weight((separate, width, hidden), "kernel_1")
            self.bias_1 = self.add_weight((separate, hidden), "zeros", name="bias_1")
            self.kernel_2 = self._experts_weight((separate, hidden, width), "kernel_2")
            self.bias_2 = self.add_weight((separate, width), "zeros", name="bias_2")
        self.built = True

    def _experts_weight(self, shape: tuple[int, int, int], name: str):
        # Every expert starts like a Dense layer of its own; Keras would count the experts as one wide layer.
        limit = (6.0 / (shape[1] + shape[2])) ** 0.5
        return self.add_weight(shape, keras.initializers.RandomUniform(-limit, limit), name=name)

    def experts(self, x):
        """What every expert makes of every sample, (B, E, D); (B, 1, D) where they share their weights."""
        if self.expert == "linear":
            return self._apply(x[None], self.kernel, self.bias)
        hidden = ops.relu(ops.einsum("bd,edh->ebh", x, self.kernel_1) + self.bias_1[:, None])
        change = ops.einsum("ebh,ehd->ebd", hidden, self.kernel_2) + self.bias_2[:, None]
        return x[:, None] + ops.transpose(change, (1, 0, 2))

    def _apply(self, x, kernel, bias):
        return ops.transpose(ops.matmul(x, kernel) + bias[:, None], (1, 0, 2))

    def gates(self, x, noise=None) -> dict:
        """Who gets a sample, and how evenly.

        Args:
            x: (B, D).
            noise: (B, E) standard normal draws, or None for none.

        Returns:
            ``gates`` (B, E), ``scores`` (B, E), ``load`` (E,) and ``balance_loss``.
        """
        clean = ops.matmul(x, self.gate_kernel)
        if noise is None:
            gates = top_k_gates(clean, self.k)
            return {"gates": gates, "scores": clean, **self._balance(gates, self._counted(gates))}
        deviation = noise_deviation(ops.matmul(x, self.noise_kernel))
        noisy = clean + noise * deviation
        gates = top_k_gates(noisy, self.k)
        some = self.k < self.num_experts
        load = expected_load(clean, noisy, deviation, self.k) if some else self._counted(gates)
        return {"gates": gates, "scores": noisy, **self._balance(gates, load)}

    @staticmethod
    def _counted(gates):
        return ops.sum(ops.cast(gates > 0, gates.dtype), axis=0)

    @staticmethod
    def _balance(gates, load) -> dict:
        return {"load": load, "balance_loss": balance_loss(gates, load)}

    def combine(self, gates, outputs):
        """The experts' outputs (B, E or 1, D) in the proportions of the gates (B, E)."""
        if self.combination == "log":
            # The released code puts the least double in the place of a sum of 0.
            total = ops.sum(gates[:, :, None] * ops.exp(outputs), axis=1)
            return ops.log(ops.maximum(total, 2.220446049250313e-16))
        return ops.sum(gates[:, :, None] * outputs, axis=1)

    def aggregate(self, x, training: bool = False):
        """Output (B, D) and the scalar balance loss of the batch."""
        x = ops.cast(x, "float32")
        noise = None
        if training:
            shape = tf.stack([tf.shape(x)[0], self.num_experts])
            noise = tf.random.stateless_normal(shape, self.noise.next_key(), alg="philox")
        found = self.gates(x, noise)
        return self.combine(found["gates"], self.experts(x)), found["balance_loss"]

    def call(self, x, training=False):
        return self.aggregate(x, training=bool(training))[0]

    def get_config(self) -> dict:
        names = "num_experts k expert hidden_width share_experts combination"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
