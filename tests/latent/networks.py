"""Models with hand-made generators, whose latents have a known meaning."""

import functools

import keras
import numpy as np
from keras import layers

import ganzoo

WIDTH = 8  # of a style


def model_of(latents, samples, score=None, **settings):
    """A GAN of a generator between two symbolic tensors; `score` is a function of the symbolic sample."""
    generator = keras.Model(latents, samples, name="generator")
    sample = keras.Input(generator.outputs[0].shape[1:], name="sample")
    outputs = keras.layers.Flatten()(sample) if score is None else score(sample)
    if outputs.shape[-1] != 1:
        outputs = keras.layers.Dense(1)(outputs)
    inputs = [sample]
    for tensor in generator.inputs[1:]:
        inputs.append(keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name))
    if len(inputs) > 1:
        outputs = keras.layers.Add()([outputs, keras.layers.Embedding(settings["num_classes"], 1)(inputs[1])])
    return ganzoo.GAN(generator, keras.Model(inputs if len(inputs) > 1 else sample, outputs), seed=0, **settings)


def dense(matrix, **settings):
    """A layer that multiplies by a matrix `(inputs, outputs)`."""
    matrix = np.asarray(matrix, "float32")
    settings = {"use_bias": False, **settings}
    return keras.layers.Dense(matrix.shape[1], kernel_initializer=keras.initializers.Constant(matrix), **settings)


def linear_images(latent_dim=6, side=8, seed=0, scale=0.05):
    """Images that are a linear function of the latents, within [-1, 1]."""
    matrix = scale * np.random.default_rng(seed).normal(size=(latent_dim, side * side))
    latents = keras.Input((latent_dim,), name="latents")
    return model_of(latents, keras.layers.Reshape((side, side, 1))(dense(matrix)(latents)))


def identity(dimensions, score=None):
    """Samples that are the latents."""
    latents = keras.Input((dimensions,), name="latents")
    return model_of(latents, dense(np.eye(dimensions))(latents), score)


@functools.cache
def styled():
    """A model whose generator has a mapping network."""
    keras.utils.set_random_seed(0)
    discriminator = ganzoo.networks.dcgan.discriminator((8, 8, 1), filters=4, normalization=None)
    return ganzoo.GAN(styled_generator(), discriminator, seed=1)


def styled_generator(latent_dim=4, filters=6, styles_count=3):
    """A mapping network, and a synthesis network whose layers are scaled by its style."""
    latents = keras.Input((latent_dim,), name="latents")
    mapping = keras.Model(latents, layers.Dense(WIDTH, activation="leaky_relu")(latents), name="mapping")
    styles = keras.Input((styles_count, WIDTH), name="styles")
    x = layers.Reshape((2, 2, WIDTH))(layers.Dense(4 * WIDTH)(layers.Flatten()(styles)))
    for index in range(styles_count):
        style = layers.Flatten()(layers.Cropping1D((index, styles_count - 1 - index))(styles))
        scale = layers.Reshape((1, 1, filters))(layers.Dense(filters, bias_initializer="ones")(style))
        x = layers.LeakyReLU(0.2)(layers.Multiply()([layers.Conv2D(filters, 3, padding="same")(x), scale]))
        x = layers.UpSampling2D()(x) if index < styles_count - 1 else x
    synthesis = keras.Model(styles, layers.Conv2D(1, 1, activation="tanh", dtype="float32")(x), name="synthesis")
    return keras.Model(latents, synthesis(layers.RepeatVector(styles_count)(mapping(latents))), name="generator")
