"""Grouped convolutions that train on every device."""

import functools

import keras
import tensorflow as tf


@functools.cache
def has_grouped_gradients(dtype):
    """Whether TensorFlow differentiates a grouped convolution of that type here.

    A CPU without oneDNN does not, and no CPU does in float16. It says so only when the gradient is computed, so a tiny
    one is computed here.

    Args:
        dtype: String.
    """
    with tf.init_scope():
        x, kernel = tf.ones((1, 2, 2, 4), dtype), tf.ones((1, 1, 2, 4), dtype)
        try:
            with tf.GradientTape() as tape:
                tape.watch([x, kernel])
                y = tf.nn.conv2d(x, kernel, 1, "SAME")
            tape.gradient(y, [x, kernel])
        except tf.errors.OpError:
            return False
    return True


@keras.saving.register_keras_serializable("ganzoo")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with groups, also where TensorFlow has no gradient of it: then a convolution a group.

    On a CPU with oneDNN the one convolution is the faster form, or as fast (benchmarks/grouped_convolutions.py).
    """

    def convolution_op(self, inputs, kernel):
        if self.groups == 1 or has_grouped_gradients(self.compute_dtype):
            return super().convolution_op(inputs, kernel)
        parts = zip(
            tf.split(inputs, self.groups, -1), tf.split(tf.convert_to_tensor(kernel), self.groups, -1), strict=True
        )
        return tf.concat([super(GroupedConv2D, self).convolution_op(*part) for part in parts], -1)
