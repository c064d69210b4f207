"""What the replicas of a tf.distribute strategy must agree on."""

import tensorflow as tf


def mean_over_replicas(value):
    """The mean of a tensor over all replicas, on each of them; outside of a step the tensor itself."""
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return value
    return replica.all_reduce("MEAN", value)
