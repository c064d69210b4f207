"""Values that the replicas of a tf.distribute strategy share."""

import tensorflow as tf


def mean_over_replicas(value):
    """The mean of a tensor over all replicas, on each replica. Outside a step, the tensor itself."""
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return value
    return replica.all_reduce("MEAN", value)


def gather_over_replicas(value):
    """The rows of a tensor from all replicas, in the order of the global batch, on each replica."""
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return value
    return replica.all_gather(value, axis=0)


def rows_of_replica(gathered, own):
    """This replica's rows in a result of `gather_over_replicas`. `own` is the replica's tensor."""
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return gathered
    count = tf.shape(own)[0]
    start = tf.cast(replica.replica_id_in_sync_group, "int32") * count
    # The slice has lost its static shape, which layers need.
    return tf.ensure_shape(gathered[start : start + count], own.shape)
