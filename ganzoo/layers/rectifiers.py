"""ReLU and LeakyReLU without the second derivative that TensorFlow computes for a penalty on gradients.

The penalty of WGAN-GP differentiates the gradient of the critic once more. The second derivative of a rectifier is 0
almost everywhere. TensorFlow computes it as a tensor of zeros, which it passes down through all layers below as if they
were other numbers: a critic of four convolutions takes 23 convolutions instead of 16. Inside of `piecewise_linear`,
these layers multiply by a constant mask, which has no second derivative. All results are the same.
"""

import keras
import tensorflow as tf
from keras import ops

from ganzoo.switch import Switch

_MASKS = Switch()


def piecewise_linear():
    """A context for a forward pass whose gradient will be differentiated. It is slower for everything else."""
    return _MASKS.on()


def leaky_relu(x, slope):
    """`x` where it is positive, and `slope * x` elsewhere.

    Args:
        x: Float tensor.
        slope: Float.
    """
    if _MASKS and isinstance(x, tf.Tensor):
        return x * tf.where(x > 0, tf.constant(1, x.dtype), tf.constant(slope, x.dtype))
    return ops.leaky_relu(x, slope)


@keras.saving.register_keras_serializable("ganzoo")
class LeakyReLU(keras.layers.LeakyReLU):
    """`keras.layers.LeakyReLU`, faster in a gradient penalty: see the top of this file.

    Args:
        negative_slope: Float. Defaults to `0.3`, as in Keras.
    """

    def call(self, inputs):
        return leaky_relu(inputs, self.negative_slope)


@keras.saving.register_keras_serializable("ganzoo")
class ReLU(keras.layers.ReLU):
    """`keras.layers.ReLU`, faster in a gradient penalty: see the top of this file."""

    def call(self, inputs):
        if _MASKS:
            return leaky_relu(inputs, 0.0)
        return super().call(inputs)
