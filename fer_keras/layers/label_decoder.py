"""Labels that look at the image: a transformer decoder whose queries are learnable label embeddings."""

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="fer_keras")
class LabelDecoder(layers.Layer):
    """The decoder of Query2Label (Liu et al., "Query2Label: A Simple Transformer Way to Multi-Label Classification",
    2021) over the feature map of any backbone.

    Each class c has an embedding E_c and a state, which starts at 0. In each block the state first attends to those of
    the other classes (only with `self_attention`), then, with ``state + E`` as query, to the cells of the map, then
    passes a two-layer network; each step is added to the state and normalised (LayerNorm). Keys of the map carry a
    learnable position, values do not.

    Computes in float32 under every policy: the states become logits.

    Args:
        num_classes: C.
        width: D, of embeddings and states.
        depth: number of blocks.
        heads: of the attention; divides `width`.
        hidden_width: of the two-layer networks.
        dropout: rate of each step before it is added.
        self_attention: whether classes attend to each other.

    Call arguments:
        feature_map: (B, h, w, V).
        training: whether dropout is active.

    Returns:
        (B, C, D) float32, the state of each class.

    Raises:
        ValueError: a number below 1, heads that do not divide the width, or a map without fixed height and width.

    Example:
        >>> LabelDecoder(num_classes=8, width=32)(keras.ops.ones((2, 3, 3, 16))).shape
        TensorShape([2, 8, 32])
    """

    def __init__(
        self,
        num_classes: int,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
        hidden_width: int = 256,
        dropout: float = 0.1,
        self_attention: bool = False,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        sizes = {
            "num_classes": num_classes, "width": width, "depth": depth, "heads": heads, "hidden_width": hidden_width,
        }  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name}: {value}; wanted 1 or more")
        if width % heads:
            raise ValueError(f"heads: {heads} do not divide the width {width}")
        self.num_classes, self.width, self.depth, self.heads = num_classes, width, depth, heads
        self.hidden_width = hidden_width
        self.dropout_rate = dropout
        self.self_attention = self_attention
        policy = self.dtype_policy
        self.projection = layers.Dense(width, name="projection", dtype=policy)
        self.blocks = [
            _Block(width, heads, hidden_width, dropout, self_attention, name=f"block{index}", dtype=policy)
            for index in range(depth)
        ]

    def build(self, input_shape):
        _, height, width, _ = input_shape
        if height is None or width is None:
            raise ValueError(f"{self.name}: a map of shape {tuple(input_shape)}; its height and width must be fixed")
        normal = keras.initializers.RandomNormal
        self.embeddings = self.add_weight((self.num_classes, self.width), normal(stddev=1.0), name="embeddings")
        self.positions = self.add_weight((height * width, self.width), normal(stddev=0.02), name="positions")
        self.projection.build(input_shape)
        for block in self.blocks:
            block.build((None, self.num_classes, self.width), (None, height * width, self.width))
        self.built = True

    def call(self, feature_map, training=False):
        height, width = feature_map.shape[1:3]
        tokens = keras.ops.reshape(self.projection(feature_map), (-1, height * width, self.width))
        # A copy for each sample. The zeros come first: second, Keras takes them for a bias and drops their batch axis.
        embeddings = keras.ops.zeros_like(tokens[:, :1]) + self.embeddings
        states = keras.ops.zeros_like(embeddings)
        for block in self.blocks:
            states = block(states, tokens, embeddings, tokens + self.positions, training=training)
        return states

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes, self.width)

    def get_config(self) -> dict:
        names = "num_classes width depth heads hidden_width self_attention"
        config = {name: getattr(self, name) for name in names.split()}
        return {**super().get_config(), **config, "dropout": self.dropout_rate}


class _Block(layers.Layer):
    """One block of the decoder: (B, C, D) states of the classes -> (B, C, D)."""

    def __init__(self, width, heads, hidden_width, dropout, self_attention, **kwargs):
        super().__init__(**kwargs)
        policy = self.dtype_policy

        def attention(name):
            return layers.MultiHeadAttention(heads, width // heads, dropout=dropout, name=name, dtype=policy)

        self.label_attention = attention("label_attention") if self_attention else None
        self.map_attention = attention("map_attention")
        self.hidden = layers.Dense(hidden_width, activation="relu", name="hidden", dtype=policy)
        self.output_layer = layers.Dense(width, name="output", dtype=policy)
        steps = ("label", "map", "network") if self_attention else ("map", "network")
        self.norms = {
            step: layers.LayerNormalization(epsilon=1e-5, name=f"{step}_norm", dtype=policy) for step in steps
        }
        self.dropout = layers.Dropout(dropout, dtype=policy)

    def build(self, states_shape, tokens_shape):
        if self.label_attention is not None:
            self.label_attention.build(states_shape, states_shape, states_shape)
        self.map_attention.build(states_shape, tokens_shape, tokens_shape)
        self.hidden.build(states_shape)
        self.output_layer.build((*states_shape[:-1], self.hidden.units))
        for norm in self.norms.values():
            norm.build(states_shape)
        self.built = True

    def call(self, states, tokens, embeddings, keys, training=False):
        def add(step, states, change):
            return self.norms[step](states + self.dropout(change, training=training))

        if self.label_attention is not None:
            query = states + embeddings
            states = add("label", states, self.label_attention(query, states, query, training=training))
        states = add("map", states, self.map_attention(states + embeddings, tokens, keys, training=training))
        return add("network", states, self.output_layer(self.hidden(states)))
