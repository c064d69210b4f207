"""Random numbers for training and generation, the same on any number of replicas."""

import math

import keras
import numpy as np
import tensorflow as tf

from ganzoo.progress import track


@keras.saving.register_keras_serializable("ganzoo")
class RandomStream(keras.layers.Layer):
    """A stream of random tensors whose whole state is two integers, saved like a weight.

    `keras.random.SeedGenerator` would not do: its state is not saved with a model, and it draws the same numbers on
    every replica. This stream draws for the global batch, and each replica takes its slice. So N replicas see exactly
    the numbers that a single device would. The numbers are computed here from Philox's bits, because TensorFlow's own
    distributions give other numbers for the same bits under XLA.

    Args:
        seed: Integer. `None` (the default) follows `keras.utils.set_random_seed`.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        if seed is None:
            seed = int(keras.random.SeedGenerator().state[0])
        self.state = self.add_weight(
            shape=(2,),
            dtype="int64",
            initializer=lambda shape, dtype: tf.constant([seed, 0], dtype),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="seed_and_draws",
        )
        self.built = True

    def normal(self, shape):
        """Draws float32 numbers from N(0, 1). `shape[0]` is the batch size of this replica."""
        return self._draw(shape, lambda uniform: math.sqrt(2.0) * tf.math.erfinv(2.0 * uniform - 1.0))

    def uniform(self, shape):
        """Draws float32 numbers from U(0, 1). `shape[0]` is the batch size of this replica."""
        return self._draw(shape, lambda uniform: uniform)

    def restart(self):
        """Goes back to the first draw."""
        self.state.assign(tf.stack([tf.convert_to_tensor(self.state)[0], tf.constant(0, "int64")]))

    def _draw(self, shape, transform):
        """Transforms random centres of 2^23 equal parts of (0, 1), which are exact in float32 and symmetric."""
        seed = tf.identity(self.state.value)
        self.state.assign_add(tf.constant([0, 1], "int64"))
        batch, *rest = shape
        replica = tf.distribute.get_replica_context()
        replicas = replica.num_replicas_in_sync if replica else 1
        bits = tf.random.stateless_uniform(
            tf.stack([batch * replicas, *rest]), seed, minval=None, maxval=None, dtype="uint32", alg="philox"
        )
        # The slice comes after the transform. Vector instructions and the loop for the last few numbers may round
        # differently, so the last bit depends on the position in the tensor.
        numbers = transform((tf.cast(tf.bitwise.right_shift(bits, 9), "float32") + 0.5) * 2.0**-23)
        if replicas > 1:
            start = tf.cast(replica.replica_id_in_sync_group, "int32") * batch
            numbers = numbers[start : start + batch]
        return tf.ensure_shape(numbers, [batch if isinstance(batch, int) else None, *rest])

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


class SeededNumbers:
    """Random numbers as a function of a seed: the first k of n samples get the numbers of a draw for k samples.

    `generate`, the SavedModel, callbacks and the command line draw from this class, a training from `RandomStream`. A
    model's `prior` turns the numbers of either into latents. It also works inside a `tf.function`, with a tensor as the
    seed.

    Args:
        seed: Integer, or int64 scalar tensor.
    """

    def __init__(self, seed):
        self._seed = tf.cast(seed, "int64")
        self._draws = 0

    def normal(self, shape):
        """Draws float32 numbers from N(0, 1). `shape[0]` is the number of samples, an integer or a tensor."""
        return tf.random.stateless_normal(as_shape(shape), self._next_key(), alg="philox")

    def uniform(self, shape):
        """Draws float32 numbers from U[0, 1). `shape[0]` is the number of samples, an integer or a tensor."""
        return tf.random.stateless_uniform(as_shape(shape), self._next_key(), alg="philox")

    def _next_key(self):
        key = tf.stack([self._seed, tf.constant(self._draws, "int64")])
        self._draws += 1
        return key


def as_shape(shape):
    """Turns a shape that contains a tensor into a tensor."""
    return tf.stack([tf.cast(size, "int32") for size in shape])


def in_full_batches(function, inputs, count, batch_size):
    """Applies a function to batches of arrays. Even the last batch is full, so that all use the same kernels."""
    results = None
    starts = range(0, count, batch_size)
    for start in track(starts, len(starts), f"Generating, batches of {batch_size:,}"):
        start = min(start, count - batch_size)
        batch = function(*(part[start : start + batch_size] for part in inputs))
        if results is None:
            results = np.empty((count, *batch.shape[1:]), batch.dtype)
        results[start : start + batch_size] = batch
    return results
