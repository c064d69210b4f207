"""Fully connected networks, for vectors and small images.

The networks of the first GANs and of the toy experiments: `hidden` layers of rectified units. The defaults, three
layers of 512, are those of the WGAN authors' MLP and of the WGAN-GP authors' toy script. Weights are initialised as
He et al. do for rectifiers (uniform), which keeps the scale of the signal through any depth; the heads as Glorot does.
"""

import math

import keras
from keras import layers

from ganzoo.layers import normalization as normalization_layer
from ganzoo.networks.inputs import check_positive, check_sample_shape, functional, with_label


def generator(image_shape, latent_dim=128, hidden=(512, 512, 512), batch_normalization=False, num_classes=None):
    """Latents through `hidden` ReLU layers to a sample.

    Args:
        image_shape: `(height, width, channels)`, made with a tanh into [-1, 1]; or `(dimensions,)`, a linear output.
        latent_dim: Integer, size of the latent vector. Defaults to `128`.
        hidden: Sizes of the hidden layers. Defaults to `(512, 512, 512)`.
        batch_normalization: Boolean. Defaults to `False`.
        num_classes: Integer, or `None` (the default). With classes, a second input `label` is embedded and joined to
            the latents.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] -> float32 samples.
    """
    image_shape = check_sample_shape(image_shape, vectors=True)
    check_positive(latent_dim=latent_dim)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = with_label([latents], latents, num_classes, latent_dim)
    for index, units in enumerate(hidden):
        x = layers.Dense(units, kernel_initializer="he_uniform", name=f"dense_{index}")(x)
        x = normalization_layer("batch" if batch_normalization else None, f"dense_{index}")(x)
        x = layers.ReLU(name=f"relu_{index}")(x)
    activation = "tanh" if len(image_shape) == 3 else None
    x = layers.Dense(math.prod(image_shape), activation=activation, dtype="float32", name="head")(x)
    return functional(inputs, layers.Reshape(image_shape, dtype="float32", name="images")(x), name="mlp_generator")


def discriminator(image_shape, hidden=(512, 512, 512), normalization=None, num_classes=None):
    """A sample through `hidden` LeakyReLU(0.2) layers to a score.

    Args:
        image_shape: `(height, width, channels)` or `(dimensions,)`.
        hidden: Sizes of the hidden layers. Defaults to `(512, 512, 512)`.
        normalization: `None` (the default), `"layer"` or `"batch"`.
        num_classes: Integer, or `None` (the default). With classes, a second input `label` is embedded and joined to
            the sample.

    Returns:
        Functional `keras.Model`: `image` [, `label`] -> float32 scores `(batch, 1)`.
    """
    image_shape = check_sample_shape(image_shape, vectors=True)
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten(name="flatten")(image)
    inputs, x = with_label([image], x, num_classes, 64)
    for index, units in enumerate(hidden):
        x = layers.Dense(units, kernel_initializer="he_uniform", name=f"dense_{index}")(x)
        x = normalization_layer(normalization, f"dense_{index}")(x)
        x = layers.LeakyReLU(0.2, name=f"leaky_relu_{index}")(x)
    return functional(inputs, layers.Dense(1, dtype="float32", name="score")(x), name="mlp_discriminator")
