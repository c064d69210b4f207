"""Chooses the layers for a normalization by its name."""

import keras

from ganzoo import checks
from ganzoo.layers.batch_normalization import BatchNormalization
from ganzoo.layers.convolutions import Conv2D
from ganzoo.layers.initializers import DCGAN_GAINS
from ganzoo.layers.spectral import SpectralConv2D, SpectralDense

NORMALIZATIONS = ("batch", "layer", "instance", "spectral", None)


def normalization(kind, name):
    """Returns a normalization layer, or the identity.

    Args:
        kind: `"batch"`, `"layer"`, `"instance"`, `"spectral"` or `None`. `"layer"` normalizes each sample over height,
            width and channels, with a gain and a bias for each channel. This is the layer normalization of WGAN-GP's
            authors, which keeps samples independent. `"instance"` normalizes each channel of each sample. `"spectral"`
            returns the identity, because it normalizes weights, see `dense_layer` and `convolution_layer`.
        name: String, name of the layer.

    Raises:
        ValueError: If there is no normalization of that name.
    """
    kind = checks.choice("normalization", kind, NORMALIZATIONS)
    if kind in (None, "spectral"):
        return lambda x: x
    if kind == "batch":
        # Momentum and epsilon of the reference code. Keras' momentum of 0.99 lags behind a network that learns fast.
        # The papers normalize over the whole batch, so statistics are taken over all replicas.
        return BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            gamma_initializer=DCGAN_GAINS,
            synchronized=True,
            name=f"{name}_batch_norm",
        )
    if kind == "layer":
        return keras.layers.GroupNormalization(groups=1, epsilon=1e-5, name=f"{name}_layer_norm")
    return keras.layers.GroupNormalization(
        groups=-1, epsilon=1e-5, gamma_initializer=DCGAN_GAINS, name=f"{name}_instance_norm"
    )


def dense_layer(normalization):
    """The class of dense layers for a normalization."""
    kind = checks.choice("normalization", normalization, NORMALIZATIONS)
    return SpectralDense if kind == "spectral" else keras.layers.Dense


def convolution_layer(normalization):
    """The class of convolutions for a normalization."""
    kind = checks.choice("normalization", normalization, NORMALIZATIONS)
    return SpectralConv2D if kind == "spectral" else Conv2D
