"""Small models and trainings of the tests of vital signs and guard."""

import keras
import numpy as np

import ganzoo
from ganzoo.health.vital_signs import VitalSigns
from ganzoo.training.feed import Feed

NETWORKS = ganzoo.networks.mlp
POINTS = np.random.default_rng(0).normal([4.0, 0.0], 1.0, (320, 2)).astype("float32")
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 6, 6, 1), "uint8")


def build(
    generator_rate=1e-3, discriminator_rate=1e-3, generator=None, discriminator=None, model=ganzoo.GAN, **settings
):
    keras.utils.set_random_seed(0)
    gan = model(
        generator or NETWORKS.generator((2,), latent_dim=2, hidden=(8,)),
        discriminator or NETWORKS.discriminator((2,), hidden=(8,)),
        seed=0,
        **settings,
    )
    gan.compile(
        keras.optimizers.Adam(generator_rate, beta_1=0.5), keras.optimizers.Adam(discriminator_rate, beta_1=0.5)
    )
    return gan


def healthy(generator_rate=2e-3, discriminator_rate=4e-3, seed=0):
    """Networks and learning rates that find the data."""
    keras.utils.set_random_seed(seed)
    gan = ganzoo.GAN(
        NETWORKS.generator((2,), latent_dim=2, hidden=(64,)),
        NETWORKS.discriminator((2,), hidden=(64,)),
        r1_weight=0.1,
        seed=seed,
    )
    gan.compile(keras.optimizers.Adam(generator_rate, 0.5), keras.optimizers.Adam(discriminator_rate, 0.5))
    return gan


def eager(model):
    """The same model, with steps that run eagerly."""
    model.compile(**{name: optimizer for name, (optimizer, _) in model.optimizers.items()}, run_eagerly=True)
    return model


def fit(model, *callbacks, data=POINTS, labels=None, epochs=1, steps=20, batch_size=16):
    dataset = model.conditions.dataset(data, labels, batch_size)
    return model.fit(dataset, epochs=epochs, steps_per_epoch=steps, verbose=0, callbacks=list(callbacks))


def look_at(model, data=POINTS, labels=None, **settings):
    """The signs of a model that is about to be trained."""
    dataset = model.conditions.dataset(data, labels, min(16, len(data)))
    model.feed = Feed(model, dataset)
    return VitalSigns(model, **{"num_samples": 64, **settings})


def affine_generator(kernel, bias):
    latents = keras.Input((2,), name="latents")
    model = keras.Model(latents, keras.layers.Dense(2, name="affine")(latents))
    model.set_weights([np.asarray(kernel, "float32"), np.asarray(bias, "float32")])
    return model


def linear_discriminator(kernel, activation=None):
    image = keras.Input((2,), name="image")
    model = keras.Model(image, keras.layers.Dense(1, activation=activation, name="score")(image))
    model.set_weights([np.asarray(kernel, "float32").reshape(2, 1), np.zeros(1, "float32")])
    return model
