"""Models and data of the tests of the linter."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import ganzoo
from ganzoo import health
from ganzoo.constraints import clip_weights
from ganzoo.models.adversarial_model import AdversarialModel
from ganzoo.penalties import gradient_penalty
from tests.check_model import sgd, tiny, two_replicas

SHAPE = (6, 4, 1)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (32, *SHAPE)).astype("float32")
LABELS = np.arange(32) % 3


class Wasserstein(AdversarialModel):
    """Someone's own model, without a penalty."""

    def discriminator_loss(self, critic, real, fake):
        return keras.ops.mean(critic(fake)) - keras.ops.mean(critic(real))

    def generator_loss(self, critic, real, fake):
        return -keras.ops.mean(critic(fake))


class Penalized(Wasserstein):
    """Someone's own model, with one."""

    def discriminator_loss(self, critic, real, fake):
        penalty = gradient_penalty(critic, real, fake, self.uniform)
        self.track(penalty=penalty)
        return super().discriminator_loss(critic, real, fake) + 10.0 * penalty


class Clipped(Wasserstein):
    """Someone's own model with clipped weights."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        clip_weights(discriminator)


def generator(*last, shape=SHAPE):
    latents = keras.Input((2,))
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape))(latents))
    for layer in last:
        x = layer(x)
    return keras.Model(latents, x, name="own_generator")


def discriminator(*inner, first=(), last=(), shape=SHAPE):
    x = image = keras.Input(shape)
    for layer in first:
        x = layer(x)
    x = layers.Dense(4, activation="relu", name="hidden")(layers.Flatten()(x))
    for layer in inner:
        x = layer(x)
    x = layers.Dense(1, name="score")(x)
    for layer in last:
        x = layer(x)
    return keras.Model(image, x, name="own_discriminator")


def model_of(kind, *networks, optimizers=None, **settings):
    model = kind(*(networks or (generator(), discriminator())), **settings)
    model.compile(**(optimizers or sgd()))
    return model


def gan(**settings):
    return tiny(ganzoo.GAN, SHAPE, hidden=(4,), **settings)


def wgan(**settings):
    return tiny(ganzoo.WGAN, SHAPE, networks=ganzoo.networks.mlp, hidden=(4,), **settings)


def critic_optimizer(optimizer):
    return {"generator_optimizer": "sgd", "discriminator_optimizer": optimizer}


def batched(*parts, size=8):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(size, drop_remainder=True)


def found(model, dataset=None, **kwargs):
    return [finding.name for finding in health.check(model, dataset, **kwargs)]


def message(model, dataset=None):
    (finding,) = health.check(model, dataset)
    return f"{finding.message} [{finding.reference}]"


def on_two_replicas(inner):
    with two_replicas().scope():
        return model_of(Wasserstein, generator(), discriminator(inner()))


def pipelines():
    """Datasets by name, and whether they may be read again."""

    def numbers():
        yield from IMAGES

    slices = tf.data.Dataset.from_tensor_slices(IMAGES)
    signature = tf.TensorSpec(SHAPE, "float32")
    scale = tf.Variable(1.0)
    return {
        "ganzoo": (ganzoo.data.from_arrays(IMAGES, batch_size=8), True),
        "mapped ganzoo": (ganzoo.data.from_arrays(IMAGES, batch_size=8).map(lambda image: -image), True),
        "slices": (slices.batch(8, num_parallel_calls=2).prefetch(1), True),
        "whole": (tf.data.Dataset.from_tensors(IMAGES).repeat(3).take(2).skip(1), True),
        "mapped": (slices.map(lambda image: image / 2, tf.data.AUTOTUNE).batch(8), True),
        "shuffled": (slices.shuffle(32).batch(8), False),
        "shuffled with a seed": (slices.shuffle(32, seed=1).batch(8).map(lambda images: -images), False),
        "generator": (tf.data.Dataset.from_generator(numbers, output_signature=signature).batch(8), False),
        "Python": (slices.map(lambda x: tf.ensure_shape(tf.numpy_function(np.sin, [x], "float32"), SHAPE)), False),
        "random": (slices.map(lambda image: image + tf.random.uniform([])).batch(8), False),
        "variable": (slices.map(lambda image: image * scale).batch(8), False),
        "cached": (slices.cache().batch(8), False),
    }
