"""Gaussian noise whose standard deviations are learned."""

import math

import keras
import tensorflow as tf
from keras import ops

from ganzoo import checks


@keras.saving.register_keras_serializable("ganzoo")
class LearnedNoise(keras.layers.Layer):
    """A layer for noise `sigma e` on samples, `e ~ N(0, I)`, with a learned sigma per pixel, shared by all channels.

        sigma = log(1 + e^s),   s trained, and truncated after each update so that sigma_min <= sigma <= sigma_max

    The bounds are needed because the density and its gradient become infinite as sigma goes to 0. Noise that is
    stronger than the data makes real and generated samples alike.

    Args:
        image_shape: `(height, width, channels)`, or `(dimensions,)` with a sigma for each dimension.
        sigma_min, sigma_max: Floats, the bounds. Default to `0.01` and `0.3`.
        initial_sigma: Float, clipped to the bounds. Defaults to `0.313`, that is softplus(-1).
    """

    def __init__(self, image_shape, sigma_min=0.01, sigma_max=0.3, initial_sigma=0.313, **kwargs):
        super().__init__(**kwargs)
        image_shape = checks.sample_shape("image_shape", image_shape, vectors=True)
        sigma_min = checks.number("sigma_min", sigma_min, above=0)
        sigma_max = checks.number("sigma_max", sigma_max, above=0)
        initial_sigma = checks.number("initial_sigma", initial_sigma, above=0)
        if sigma_min > sigma_max:
            raise ValueError(
                f"`sigma_min` must be at most `sigma_max`. Received: sigma_min={sigma_min}, sigma_max={sigma_max}"
            )
        self.config = {
            "image_shape": image_shape,
            "sigma_min": sigma_min,
            "sigma_max": sigma_max,
            "initial_sigma": initial_sigma,
        }
        start = min(max(initial_sigma, sigma_min), sigma_max)
        self.raw_sigma = self.add_weight(
            shape=(*image_shape[:2], 1) if len(image_shape) == 3 else image_shape,
            dtype="float32",
            initializer=keras.initializers.Constant(inverse_softplus(start)),
            constraint=Between(inverse_softplus(sigma_min), inverse_softplus(sigma_max)),
            autocast=False,
            name="raw_sigma",
        )
        self.built = True

    @property
    def sigma(self):
        """The standard deviations, `(height, width, 1)` or `(dimensions,)`."""
        return tf.math.softplus(tf.convert_to_tensor(self.raw_sigma.value))

    def get_config(self):
        return {**super().get_config(), **self.config}


@keras.saving.register_keras_serializable("ganzoo")
class Between(keras.constraints.Constraint):
    """Truncates every entry of a weight to `[low, high]` after each update."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __call__(self, weights):
        return ops.clip(weights, self.low, self.high)

    def get_config(self):
        return {"low": self.low, "high": self.high}


def inverse_softplus(value):
    """The x with `log(1 + e^x) = value`."""
    return value + math.log(-math.expm1(-value))
