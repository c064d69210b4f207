"""The networks of the conditional GAN's MNIST experiment: rectified units against maxout units.

Sample and label pass a hidden layer each before they are joined. The sizes come from the paper. The paper's dropout of
0.5 is left out: noise inside a network is not drawn again when a step is repeated or shared by replicas. Without
classes, the networks have no branch for the label.

Reference: [Mirza and Osindero, 2014](https://arxiv.org/abs/1411.1784), Section 4.1;
[Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389), for maxout.
"""

import math

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import Maxout
from ganzoo.networks.inputs import (
    attributes_input,
    condition_vectors,
    functional,
    image_input,
    label_input,
    network,
)


@network
def generator(
    image_shape,
    latent_dim=100,
    hidden=(200, 1000, 1200),
    kernel_initializer="he_uniform",
    num_classes=None,
    num_attributes=None,
):
    """Maps latents and a one-hot label to a sample, by a hidden ReLU layer for each and a joint layer.

    Args:
        image_shape: `(height, width, channels)` with a tanh output in [-1, 1], or `(dimensions,)` with a linear output.
        latent_dim: Integer, size of the latent vector. Defaults to `100`.
        hidden: Sizes of the hidden layers for the latents, for the label, and for both. Defaults to
            `(200, 1000, 1200)`.
        kernel_initializer: Keras initializer of the hidden layers' kernels. Defaults to `"he_uniform"`.
        num_classes: Integer, or `None` (the default).
        num_attributes: Integer, or `None` (the default): attributes, numbers from 0 to 1, instead of the one-hot label
            or beside it.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] [, `attributes` `(batch,
        num_attributes)`] -> float32 samples.
    """
    image_shape = checks.sample_shape("image_shape", image_shape, vectors=True)
    latent_dim = checks.integer("latent_dim", latent_dim, least=1)
    for_latents, for_label, for_both = checks.integers("hidden", hidden, count=3)

    def dense(units, name):
        return layers.Dense(units, activation="relu", kernel_initializer=kernel_initializer, name=name)

    latents, label = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    attributes = attributes_input(num_attributes)
    vectors = condition_vectors(label, num_classes, attributes)
    x = dense(for_latents, "from_latents")(latents)
    if vectors is not None:
        x = layers.Concatenate(name="with_label")([x, dense(for_label, "from_label")(vectors)])
    x = dense(for_both, "joint")(x)
    squash = "tanh" if len(image_shape) == 3 else None
    x = layers.Dense(math.prod(image_shape), activation=squash, dtype="float32", name="head")(x)
    x = layers.Reshape(image_shape, dtype="float32", name="images")(x)
    return functional([latents, label, attributes], x, name="maxout_generator")


@network
def discriminator(
    image_shape,
    units=((240, 5), (50, 5), (240, 4)),
    kernel_initializer="glorot_uniform",
    num_classes=None,
    packing=1,
    num_attributes=None,
):
    """Scores a sample with a one-hot label, by a maxout layer for each and a joint layer.

    Args:
        image_shape: `(height, width, channels)` or `(dimensions,)`.
        units: Pairs (units, pieces) of the maxout layers for the sample, for the label, and for both. Defaults to
            `((240, 5), (50, 5), (240, 4))`.
        kernel_initializer: Keras initializer of the hidden layers' kernels. Defaults to `"glorot_uniform"`.
        num_classes: Integer, or `None` (the default).
        packing: Integer, samples that are scored at once, joined in their last axis. Defaults to `1`.
        num_attributes: Integer, or `None` (the default), as in `generator`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] [, `attributes`] -> float32 scores `(batch, 1)`.
    """
    image_shape = checks.sample_shape("image_shape", image_shape, vectors=True)
    for_image, for_label, for_both = check_units(units)

    def maxout(size, name):
        return Maxout(*size, kernel_initializer=kernel_initializer, name=name)

    image, label = image_input(image_shape, packing), label_input(num_classes, packing)
    attributes = attributes_input(num_attributes, packing)
    vectors = condition_vectors(label, num_classes, attributes)
    x = maxout(for_image, "from_image")(layers.Flatten(name="flatten")(image))
    if vectors is not None:
        x = layers.Concatenate(name="with_label")([x, maxout(for_label, "from_label")(vectors)])
    score = layers.Dense(1, dtype="float32", name="score")(maxout(for_both, "joint")(x))
    return functional([image, label, attributes], score, name="maxout_discriminator")


def check_units(units):
    """Returns the sizes of three maxout layers as pairs of Python integers."""
    try:
        first, second, third = (checks.integers("units", pair, count=2) for pair in units)
    except (TypeError, ValueError):
        raise ValueError(
            "`units` must be three pairs of integers of at least 1, (units, pieces), such as ((240, 5), (50, 5), "
            f"(240, 4)). Received: units={checks.shown(units)}"
        ) from None
    return first, second, third
