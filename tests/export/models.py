"""One tiny model of each kind, with weights as large as after a training."""

import functools

import keras
import numpy as np
from keras import layers

import ganzoo

# What somebody might call a class to run a script in the page of a model.
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028$title 'a' \"b\""


def unconditional():
    return ganzoo.DCGAN.from_paper((16, 16, 3), filters=4, latent_dim=6, seed=0, ema_decay=0.5)


def conditional():
    names = ["cat", "dog", HOSTILE]
    return ganzoo.DCGAN.from_paper((8, 8, 1), filters=4, latent_dim=6, seed=0, num_classes=3, class_names=names)


def translator():
    shapes = {"image_shape": (16, 16, 3), "condition_shape": (16, 16, 1)}
    return ganzoo.Pix2Pix.from_paper(**shapes, filters=4, generator_depth=2, receptive_field=16, seed=0)


def vae():
    return ganzoo.VAE.from_paper((8, 8, 1), latent_dim=2, hidden=(16,), seed=0)


def attributes():
    """Twelve latents and three attributes -> images with transparency."""
    latents, given = keras.Input((12,), name="latents"), keras.Input((3,), name="attributes")
    x = layers.Dense(8 * 8 * 4, activation="tanh")(layers.Concatenate()([latents, given]))
    generator = keras.Model([latents, given], layers.Reshape((8, 8, 4))(x))
    samples, given = keras.Input((8, 8, 4)), keras.Input((3,))
    scores = layers.Dense(1)(layers.Concatenate()([layers.Flatten()(samples), given]))
    names = ["hat", "<b>beard", "glasses"]
    return ganzoo.GAN(generator, keras.Model([samples, given], scores), attribute_names=names, seed=0)


def infogan():
    """Latents that are not all normal."""
    codes = {"heads": {"category_0": 10, "continuous": 2}, "hidden": (8,)}
    return ganzoo.InfoGAN.from_paper((8, 8, 1), networks=ganzoo.networks.mlp, latent_dim=20, seed=0, **codes)


def cyclegan():
    """No latents."""
    return ganzoo.CycleGAN.from_paper((16, 16, 3), filters=4, blocks=1, receptive_field=16, seed=0)


KINDS = {"unconditional": unconditional, "conditional": conditional, "translator": translator, "vae": vae}
MORE_KINDS = {"attributes": attributes, "infogan": infogan, "cyclegan": cyclegan}


@functools.cache
def made(kind):
    """The model of a kind, for tests that leave it as it is."""
    return make(kind)


def make(kind):
    """A model of a kind, with the same weights each time."""
    keras.utils.set_random_seed(0)
    model = (KINDS | MORE_KINDS)[kind]()
    random = np.random.default_rng(0)
    for network in (model.sampling_generator, getattr(model, "encoder", None)):
        for weight in () if network is None else network.weights:
            if len(weight.shape) > 1:  # Outputs as spread out as unit inputs.
                fan_in = np.prod(weight.shape) / weight.shape[-1 if network.name.startswith("enc") else 0]
                weight.assign(random.standard_normal(weight.shape) / np.sqrt(max(fan_in, 1)) ** 0.9)
            else:
                weight.assign(random.uniform(0.5, 1.5, weight.shape))
    return model


def inputs_of(specs, count, seed=1):
    """Random inputs of an endpoint: a dictionary of arrays."""
    random = np.random.default_rng(seed)
    return {
        spec.name: random.integers(0, 3, count)
        if spec.dtype.is_integer
        else np.clip(random.standard_normal((count, *spec.shape[1:])), -1, 1).astype("float32")
        for spec in specs
    }
