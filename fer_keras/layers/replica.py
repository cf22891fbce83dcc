"""What state shared by all replicas of a ``tf.distribute`` strategy needs: gather, sum, and one local handle.

Every replica applies the same update, made of what all replicas saw, to its own copy of a variable; so the
copies stay equal without a variable aggregation, and a step costs O(batch).
"""

import tensorflow as tf


def num_replicas() -> int:
    """Number of replicas that train in step; 1 outside a strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def gather_replicas(*tensors: tf.Tensor) -> list[tf.Tensor]:
    """Concatenates each tensor's rows over all replicas, in replica order; identity on one replica."""
    if num_replicas() == 1:
        return list(tensors)
    context = tf.distribute.get_replica_context()
    return [context.all_gather(tensor, axis=0) for tensor in tensors]


def sum_replicas(*tensors: tf.Tensor) -> list[tf.Tensor]:
    """Sums each tensor over all replicas; identity on one replica."""
    if num_replicas() == 1:
        return list(tensors)
    context = tf.distribute.get_replica_context()
    return [context.all_reduce("sum", tensor) for tensor in tensors]
