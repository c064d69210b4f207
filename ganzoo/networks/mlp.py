"""Fully connected networks, for vectors and small images.

The first GANs and toy experiments have such networks, with `hidden` layers of rectified units. The defaults, three
layers of 512, come from the WGAN authors' MLP and the WGAN-GP authors' toy script. Hidden layers have the uniform
initialization of He et al. for rectifiers, which keeps the scale of the signal at any depth. Output layers have
Glorot's initialization.
"""

import math

import keras
from keras import layers

from ganzoo import checks
from ganzoo.layers import LeakyReLU, dense_layer
from ganzoo.layers import normalization as normalization_layer
from ganzoo.networks.heads import with_heads
from ganzoo.networks.inputs import (
    add_projection,
    attributes_input,
    condition_vectors,
    functional,
    image_input,
    join_attributes,
    join_label,
    label_input,
    network,
    split_condition,
)

NORMALIZATIONS = (None, "batch", "layer", "spectral")
ACTIVATIONS = ("relu", "leaky_relu", "tanh")


@network
def generator(
    image_shape,
    latent_dim=128,
    hidden=(512, 512, 512),
    batch_normalization=False,
    activation="relu",
    hidden_initializer="he_uniform",
    num_classes=None,
    label="one_hot",
    num_attributes=None,
):
    """Maps latents to a sample by dense `hidden` layers.

    Args:
        image_shape: `(height, width, channels)` with a tanh output in [-1, 1], or `(dimensions,)` with a linear output.
        latent_dim: Integer, size of the latent vector. Defaults to `128`.
        hidden: Sizes of the hidden layers. Defaults to `(512, 512, 512)`.
        batch_normalization: Boolean. Defaults to `False`.
        activation: Activation of the hidden layers: `"relu"` (the default), `"leaky_relu"` of slope 0.2, or `"tanh"`.
        hidden_initializer: Keras initializer of the hidden layers' kernels. Defaults to `"he_uniform"`.
        num_classes: Integer, or `None` (the default). With classes, a second input `label` is joined to the latents.
        label: `"one_hot"` (the default), or `"embedding"`, a learned vector with the size of the latents.
        num_attributes: Integer, or `None` (the default). With attributes, numbers from 0 to 1, a further input
            `attributes` is joined to the latents.

    Returns:
        Functional `keras.Model`: `latents` `(batch, latent_dim)` [, `label` `(batch,)`] [, `attributes` `(batch,
        num_attributes)`] -> float32 samples.
    """
    image_shape = checks.sample_shape("image_shape", image_shape, vectors=True)
    latent_dim = checks.integer("latent_dim", latent_dim, least=1)
    latents, classes = keras.Input((latent_dim,), name="latents"), label_input(num_classes)
    attributes = attributes_input(num_attributes)
    x = join_attributes(join_label(latents, classes, num_classes, label, latent_dim), attributes)
    kind = "batch" if checks.boolean("batch_normalization", batch_normalization) else None
    x = hidden_layers(x, hidden, kind, activation, hidden_initializer)
    squash = "tanh" if len(image_shape) == 3 else None
    x = layers.Dense(math.prod(image_shape), activation=squash, dtype="float32", name="head")(x)
    x = layers.Reshape(image_shape, dtype="float32", name="images")(x)
    return functional([latents, classes, attributes], x, name="mlp_generator")


@network
def discriminator(
    image_shape,
    hidden=(512, 512, 512),
    normalization=None,
    activation="leaky_relu",
    hidden_initializer="he_uniform",
    num_classes=None,
    label="one_hot",
    conditioning="concatenate",
    packing=1,
    heads=None,
    num_attributes=None,
    score_dim=1,
):
    """Scores a sample by dense `hidden` layers.

    Args:
        image_shape: `(height, width, channels)` or `(dimensions,)`.
        hidden: Sizes of the hidden layers. Defaults to `(512, 512, 512)`.
        normalization: `None` (the default), `"layer"`, `"batch"` or `"spectral"`. `"spectral"` applies to all kernels.
        activation: Activation of the hidden layers: `"relu"`, `"leaky_relu"` of slope 0.2 (the default), or `"tanh"`.
        hidden_initializer: Keras initializer of the hidden layers' kernels. Defaults to `"he_uniform"`.
        num_classes: Integer, or `None` (the default). With classes, there is a second input `label`.
        label: How the label is joined to the sample: `"one_hot"` (the default), or `"embedding"`, of size 64.
        conditioning: `"concatenate"` (the default) or `"projection"`, where the score is `f(x) + <V y, phi(x)>` and phi
            is the last hidden layer.
        packing: Integer, samples that are scored at once, joined in their last axis. Defaults to `1`.
        heads: Dictionary, name -> number of outputs, of further outputs beside the score, on the last features. See
            `ganzoo.networks.heads`. Defaults to `None`.
        num_attributes: Integer, or `None` (the default). With attributes, there is a further input `attributes`.
        score_dim: Integer, numbers that a sample gets as its score: more than one are the features of `CramerGAN`.
            Defaults to `1`.

    Returns:
        Functional `keras.Model`: `image` [, `label`] [, `attributes`] -> float32 scores `(batch, score_dim)`, or a
        dictionary with `"scores"` and the heads.
    """
    image_shape = checks.sample_shape("image_shape", image_shape, vectors=True)
    score_dim = checks.integer("score_dim", score_dim, least=1)
    image, classes = image_input(image_shape, packing), label_input(num_classes, packing)
    attributes = attributes_input(num_attributes, packing)
    joined, projected = split_condition(classes, attributes, conditioning)
    x = join_label(layers.Flatten(name="flatten")(image), joined[0], num_classes, label, 64)
    x = join_attributes(x, joined[1])
    x = hidden_layers(x, hidden, normalization, activation, hidden_initializer)
    score = dense_layer(normalization)(score_dim, dtype="float32", name="score")(x)
    score = add_projection(score, x, condition_vectors(projected[0], num_classes, projected[1]), normalization)
    outputs = with_heads(score, x, heads, normalization)
    return functional([image, classes, attributes], outputs, name="mlp_discriminator")


def hidden_layers(x, hidden, normalization, activation, hidden_initializer):
    """Adds dense layers with a normalization and an activation."""
    normalization = checks.choice("normalization", normalization, NORMALIZATIONS)
    activation = checks.choice("activation", activation, ACTIVATIONS)
    for index, units in enumerate(checks.integers("hidden", hidden)):
        x = dense_layer(normalization)(units, kernel_initializer=hidden_initializer, name=f"dense_{index}")(x)
        x = normalization_layer(normalization, f"dense_{index}")(x)
        if activation == "leaky_relu":
            x = LeakyReLU(0.2, name=f"leaky_relu_{index}")(x)
        else:
            x = layers.Activation(activation, name=f"{activation}_{index}")(x)
    return x
