"""Grouped convolutions that train on every device."""

import functools

import keras
import tensorflow as tf


@functools.cache
def has_grouped_gradients(dtype):
    """Whether TensorFlow differentiates a grouped convolution of that type here.

    A CPU without oneDNN does not, and no CPU does in float16. It says so only when the gradient is computed, so tiny
    ones are computed here, by the operations themselves: within `init_scope` no tape records.

    Args:
        dtype: String.
    """
    with tf.init_scope():
        x, kernel = tf.ones((1, 2, 2, 4), dtype), tf.ones((1, 1, 2, 4), dtype)
        settings = {"out_backprop": x, "strides": [1, 1, 1, 1], "padding": "SAME"}
        try:
            tf.raw_ops.Conv2DBackpropInput(input_sizes=x.shape, filter=kernel, **settings)
            tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=kernel.shape, **settings)
        except tf.errors.OpError:
            return False
    return True


@keras.saving.register_keras_serializable("ganzoo")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with groups, fast on a CPU.

    Keras compiles grouped convolutions by XLA, which is slow on a CPU. TensorFlow's own is the fastest form there
    (benchmarks/grouped_convolutions.py). Where it has no gradient, there is a convolution for each group. Maps have
    their channels last.
    """

    def convolution_op(self, inputs, kernel):
        kernel = tf.convert_to_tensor(kernel)
        if self.groups == 1 or has_grouped_gradients(self.compute_dtype):
            return self._convolve(inputs, kernel)
        parts = zip(tf.split(inputs, self.groups, -1), tf.split(kernel, self.groups, -1), strict=True)
        return tf.concat([self._convolve(*part) for part in parts], -1)

    def _convolve(self, inputs, kernel):
        return tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)
