"""Maps of ``tf.data`` on all processor cores, without autotuning."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

AHEAD = 2
"""Elements that are made before they are asked for."""


def parallel_map(dataset: "tf.data.Dataset", function: Callable) -> "tf.data.Dataset":
    """``dataset.map`` on as many threads as there are processor cores, in order, `AHEAD` elements ahead.

    Autotuning is switched off: an iterator that is let go waits for its tuning thread, which sleeps twice as long each
    time, up to a minute. ``fit`` and ``evaluate`` would then end a good deal after their last step.

    Args:
        dataset: what is mapped.
        function: a graph function of its elements.

    Returns:
        The mapped dataset; what is built upon it is not autotuned either.

    Example:
        >>> import tensorflow as tf
        >>> [int(x) for x in parallel_map(tf.data.Dataset.range(3), lambda x: 2 * x)]
        [0, 2, 4]
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.map(function, num_parallel_calls=os.cpu_count() or 1, deterministic=True)
    return dataset.prefetch(AHEAD).with_options(options)
